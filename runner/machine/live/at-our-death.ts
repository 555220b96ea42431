import { execaSync } from 'execa'
import { findProgram } from './find-program.ts'

let program: string | false | undefined

/**
 * The words before a command whose process gets this signal from the kernel at our death (PR_SET_PDEATHSIG); none where setpriv(1)
 * is missing, or cannot do that, as that of BusyBox. Costs the command one more exec.
 */
export function atOurDeath(signal: 'KILL' | 'CONT'): readonly string[] {
  program ??= findSetpriv()
  return program === false ? [] : [program, '--pdeathsig', signal]
}

function findSetpriv(): string | false {
  const setpriv = findProgram('setpriv')
  if (setpriv === undefined) return false
  const { exitCode } = execaSync(setpriv, ['--pdeathsig', 'KILL', 'true'], {
    reject: false,
    stdio: 'ignore',
    timeout: 1000,
    killSignal: 'SIGKILL',
  })
  return exitCode === 0 && setpriv
}
