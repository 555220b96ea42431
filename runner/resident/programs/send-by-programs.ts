import { helper } from '../../machine/live/libexec.ts'
import { startCoprocess, type Coprocess } from '../../machine/live/coprocess.ts'
import type { ProgramSender } from '../../net/announce/packets.ts'
import { inLines } from './process-pool.ts'

type Argv = readonly string[]

/** Programs that one shell has at work at once. A packet costs one; 128 are started in an eighth of a second. */
const MOST = 128
/** Shells at once: while one waits for the end of its programs the next starts others. */
const MOST_SHELLS = 4

/** The address has left this node meanwhile. */
const LEFT = /Cannot assign requested address/

interface Shell {
  /** Resolves when all have been started. */
  start: (commands: readonly Argv[]) => Promise<void>
  finish: Coprocess['finish']
}

/** One line for all that is said on standard error. */
export function complainOnce(said: string, complain: (line: string) => void): void {
  const [first, ...more] = said.split('\n').filter((line) => line !== '' && !LEFT.test(line))
  if (first !== undefined)
    complain(`announcement failed: ${first}${more.length > 0 ? `, and ${more.length} lines more` : ''}`)
}

/** What a program says on standard error goes to `complain`: a line for all that were started together. */
export function senders(complain: (line: string) => void): ProgramSender {
  const shells = new Set<Shell>()
  let idle: Shell[] = []
  /** Those who wait for a shell that is idle, or has gone. */
  let waiting: (() => void)[] = []

  async function shellFor(): Promise<Shell> {
    while (idle.length === 0 && shells.size >= MOST_SHELLS)
      await new Promise<void>((resolve) => waiting.push(resolve))
    const shell = idle.pop() ?? begin()
    shells.add(shell)
    return shell
  }

  function begin(): Shell {
    let said = ''
    let started = () => {}
    const shell: Shell = {
      finish: () => finish(),
      start: (commands) =>
        new Promise((resolve) => {
          started = resolve
          send(`${commands.map(inLines).join('')}end\n`)
        }),
    }
    const free = () => {
      started()
      complainOnce(said, complain)
      said = ''
      waiting.shift()?.()
    }
    const { send, finish } = startCoprocess(['sh', helper('program-sender.sh')], {
      out(text) {
        if (text.includes('started')) started()
        if (!text.includes('ended')) return
        idle.push(shell)
        free()
      },
      err: (text) => void (said += text),
      ended() {
        shells.delete(shell)
        idle = idle.filter((each) => each !== shell)
        free()
      },
    })
    return shell
  }

  return {
    async send(commands) {
      for (let i = 0; i < commands.length; i += MOST)
        await (await shellFor()).start(commands.slice(i, i + MOST))
    },
    close() {
      for (const shell of shells) shell.finish()
      waiting = []
    },
  }
}
