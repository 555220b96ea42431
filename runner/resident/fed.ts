import { startCoprocess } from '../system/coprocess.ts'
import type { Answer } from '../system/door.ts'
import { Ended, type Worker } from './attend.ts'

/**
 * Run a program that is given its input at once. `started` is told which process it is. One that cannot be started is
 * 127, as for a shell.
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
    const { pid, kill, send, finish } = startCoprocess(argv, {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      ended: (status = 127) =>
        isKilled ? reject(new Ended(`${argv[0]} was ended`)) : resolve({ status, out, err }),
    })
    started({
      pid,
      kill() {
        isKilled = true
        kill()
      },
    })
    send(input)
    finish()
  })
}
