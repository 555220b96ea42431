/** `ctdb-eventd -P PID -S FD`: the program that ctdbd starts. `eventscript eventd` is the same by hand. */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { visible } from '../base/visible.ts'
import { startEventDaemon, wholeNumber } from '../eventd/start.ts'

const USAGE = 'usage: ctdb-eventd [-P|--pid PID] [-S|--startup-fd FD]'

function numbers(argv: readonly string[]): { pid?: number; startupFd?: number } | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { pid: { type: 'string', short: 'P' }, 'startup-fd': { type: 'string', short: 'S' } },
    })
    return {
      pid: wholeNumber('pid', values.pid),
      startupFd: wholeNumber('startup-fd', values['startup-fd']),
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const options = numbers(process.argv.slice(2))
if (typeof options === 'string') {
  process.stderr.write(`ctdb-eventd: ${visible(options)}\n${USAGE}\n`)
  process.exitCode = 1
} else
  await startEventDaemon({
    ...options,
    announcer: fileURLToPath(new URL('../../announce.cjs', import.meta.url)),
    own: fileURLToPath(new URL('../../events.d', import.meta.url)),
  })
