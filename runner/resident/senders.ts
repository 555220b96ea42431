import { startCoprocess, type Coprocess } from '../system/coprocess.ts'
import { inLines, READ_WORDS } from './shells.ts'

type Argv = readonly string[]

/** Sends packets by small programs, many at once. */
export interface Senders {
  /** Resolves when all of them have been started. */
  send: (commands: readonly Argv[]) => Promise<void>
  close: () => void
}

/** Programs in a group, of which two may be at work. A packet costs one; 128 are started in an eighth of a second. */
const MOST = 128

/**
 * arping stays for a second behind its packet, to hear answers that an announcement does not have: so those of a group
 * are ended a fifth of a second after the last one was started. The next group does not wait for that, the one behind
 * it does.
 */
const LOOP = String.raw`while read -r n; do
if [ "$n" = wait ]; then [ -z "$ending" ] || wait $ending; { sleep 0.2; kill $pids 2>/dev/null; } & ending="$! $pids"; pids=; printf 'done\n'; continue; fi
${READ_WORDS}
"$@" </dev/null >/dev/null & pids="$pids $!"; done`

/** The address has left this node meanwhile. */
const LEFT = /Cannot assign requested address/

/** What a program says on standard error goes to `complain`: a line for all that are sent together. */
export function senders(complain: (line: string) => void): Senders {
  let shell: Coprocess | undefined
  let done = () => {}
  let said = ''

  const begin = () =>
    startCoprocess(['sh', '-c', LOOP], {
      out: () => done(),
      err: (text) => void (said += text),
      ended() {
        shell = undefined
        done()
      },
    })

  function complainOnce(): void {
    const lines = said.split('\n').filter((line) => line !== '' && !LEFT.test(line))
    const [first] = lines
    if (first !== undefined)
      complain(
        `announcement failed: ${first}${lines.length > 1 ? `, and ${lines.length - 1} lines more` : ''}`,
      )
    said = ''
  }

  return {
    async send(commands) {
      for (let i = 0; i < commands.length; i += MOST) {
        const text = commands.slice(i, i + MOST).map(inLines)
        await new Promise<void>((resolve) => {
          done = resolve
          shell ??= begin()
          shell.send(`${text.join('')}wait\n`)
        })
        complainOnce()
      }
    },
    close: () => shell?.finish(),
  }
}
