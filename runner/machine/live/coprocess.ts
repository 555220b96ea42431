import { execa } from 'execa'

/** A program that stays and is talked to: its input is a pipe, and so are its outputs. */
export interface Coprocess {
  pid: number | undefined
  send: (text: string) => void
  /** No more input: it ends when it has done what it has. */
  finish: () => void
  /** KILL, to its whole group. */
  kill: () => void
}

export interface Listener {
  out: (text: string) => void
  err?: (text: string) => void
  /** It has ended by itself, by a signal (no status), or could not be started at all (no status). */
  ended: (status?: number) => void
}

/**
 * Start a program that stays. To start one from node takes about 5 ms in which nothing else goes on (the whole of a
 * large process is mapped anew), so what is started often is started by a small process that stays. When we die, in
 * whatever way, its input ends, and so does it.
 */
export function startCoprocess([program = '', ...words]: readonly string[], listener: Listener): Coprocess {
  const child = execa(program, words, {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: listener.err ? 'pipe' : 'ignore',
    encoding: 'utf8',
    env: { LC_ALL: 'C' },
    cwd: '/',
    detached: true,
    buffer: false,
    reject: false,
  })
  child.stdout.setEncoding('utf8').on('data', listener.out)
  if (listener.err) child.stderr?.setEncoding('utf8').on('data', listener.err)
  // EPIPE: the program has ended, and `ended` says so
  child.stdin.on('error', () => {})
  void child.then(({ exitCode }) => listener.ended(exitCode))
  return {
    pid: child.pid,
    send: (text) => void child.stdin.write(text),
    finish: () => void child.stdin.end(),
    kill() {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // gone already
      }
    },
  }
}
