/** A place to run programs in: the network, and maybe the files, that another process holds. */
import { execa, type ResultPromise } from 'execa'

export interface Result {
  status: number
  out: string
  err: string
}

export class Namespace {
  /** The program and the words in front of every command. */
  readonly enter: readonly string[]
  readonly env: Record<string, string>

  constructor(enter: readonly string[], env: Record<string, string> = {}) {
    // tap puts hooks of its own into every node program through NODE_OPTIONS, and they cannot load a `.script`
    this.enter = [...enter, '/usr/bin/env', '-u', 'NODE_OPTIONS'] // by its path: a test may leave little in PATH
    this.env = env
  }

  /** Start a program there that goes on; `kill` it, or it ends with the lab. */
  start(...argv: string[]) {
    const [program = '', ...words] = [...this.enter, ...argv]
    return execa(program, words, {
      reject: false,
      stdin: 'ignore',
      env: this.env,
      extendEnv: true,
      stripFinalNewline: false,
    }) satisfies ResultPromise
  }

  /** Run a program there and give back its output; an exit status other than 0 is data. */
  async run(...argv: string[]): Promise<Result> {
    const { exitCode, stdout, stderr } = await this.start(...argv)
    return { status: exitCode ?? 255, out: stdout, err: stderr }
  }

  /** The same, where anything but success is a mistake of the test itself. */
  async must(...argv: string[]): Promise<string> {
    const { status, out, err } = await this.run(...argv)
    if (status !== 0) throw new Error(`${argv.join(' ')}: ${err || `exit status ${status}`}`)
    return out
  }

  /** Start a program that goes on; `text` is all that it has printed so far. */
  listen(...argv: string[]) {
    const child = this.start(...argv)
    let text = ''
    child.stdout.on('data', (more: Buffer) => (text += more.toString()))
    return { child, text: () => text, stop: () => void child.kill() }
  }
}

export function lines({ out, err }: Result): string[] {
  return `${out}${err}`.split('\n').filter(Boolean)
}

export function warnings(result: Result): string[] {
  return lines(result).filter((line) => line.startsWith('WARNING'))
}
