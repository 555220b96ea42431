import { constants } from 'node:os'
import { Coprocess } from '../../machine/live/coprocess.ts'
import type { Answer } from '../../machine/machine.ts'
import { WorkerEnded, type Worker } from './deadline.ts'

/**
 * Run a program with its whole input. `started` gets the process. A program that cannot be started is status 127, as for a
 * shell.
 */
export function fed(
  argv: readonly string[],
  input: string,
  started: (worker: Worker) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let out = ''
    let err = ''
    let isKilled = false
    const ended = (status?: number) => {
      if (isKilled) reject(new WorkerEnded(`${argv[0]} was ended`))
      else if (status !== undefined || program.pid === undefined) resolve({ status: status ?? 127, out, err })
      // another has ended the program: whether its work is done is not known
      else resolve({ status: 128 + constants.signals.SIGKILL, signal: 'SIGKILL', out, err })
    }
    const listener = {
      out: (text: string) => void (out += text),
      err: (text: string) => void (err += text),
      ended,
    }
    const program = new Coprocess(argv, listener, { isBrief: true })
    const kill = () => {
      isKilled = true
      program.kill()
    }
    started({ pid: program.pid, kill })
    program.send(input)
    program.endInput()
  })
}
