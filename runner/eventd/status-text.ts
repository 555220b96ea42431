/** The end of a script as `ctdb event status` prints it, byte for byte: admins compare the two, and grep both. */
import { trimmedEnd } from '../base/blanks.ts'
import { getSystemErrorMap } from 'node:util'
import { ctime } from '../format/ctime.ts'
import { isOlder, type Version } from '../base/version.ts'
import { outcomeOf } from './status.ts'
import { ERRNO, type ScriptStatus } from './protocol/messages.ts'

/** The output of a script in the ctdb tool: line by line since 4.19; before, that of failures alone, unchanged. */
export type Layout = 'since 4.19' | 'before 4.19'

/** The layout of a version of the tool; the newest layout for an unknown version. */
export function layoutOf(version: Version | undefined): Layout {
  return version && isOlder(version, [4, 19]) ? 'before 4.19' : 'since 4.19'
}

/** The lines of a script. `word` colours the outcome. */
export function statusLines(
  script: ScriptStatus,
  layout: Layout,
  word: (text: string, outcome: ReturnType<typeof outcomeOf>) => string,
): string[] {
  const [text, more] = headOf(script)
  const head = `${script.name.padEnd(20)} ${word(text.padEnd(10), outcomeOf(script.result))}${more}`
  return [head, ...(layout === 'since 4.19' ? outputLines(script) : rawOutput(script))]
}

/** The end of a script in the words of the ctdb tool, without its name: `ERROR 0.013 Fri Nov 27 23:00:00 2026`. */
export function endText(script: ScriptStatus): string {
  return headOf(script).join('')
}

const TIMED_OUT = -ERRNO.ETIMEDOUT
const DISABLED = -ERRNO.ENOEXEC

function headOf({ begin, end, result }: ScriptStatus): [string, string] {
  const when = ctime(new Date(begin.seconds * 1000))
  if (result === TIMED_OUT) return ['TIMEDOUT', ` ${when}`]
  if (result === DISABLED) return ['DISABLED', '']
  if (result < 0) return ['CANNOT RUN', ` (${errorText(result)})`]
  const seconds = end.seconds - begin.seconds + (end.microseconds - begin.microseconds) / 1e6
  return [result === 0 ? 'OK' : 'ERROR', ` ${seconds.toFixed(3)} ${when}`]
}

/** Did the script fail the event? */
export const failed = ({ result }: ScriptStatus) => result !== 0 && result !== DISABLED

function rawOutput(script: ScriptStatus): string[] {
  return failed(script) ? `  OUTPUT: ${script.output ?? ''}`.split('\n') : []
}

function outputLines(script: ScriptStatus): string[] {
  if (script.output === undefined && !failed(script)) return []
  const lines = trimmedEnd(script.output ?? '', '\n').split('\n')
  return lines.length === 1 ? [`  OUTPUT: ${lines[0]}`] : ['  OUTPUT:', ...lines.map((line) => `    ${line}`)]
}

/** The text of strerror(3), which begins with a capital. */
function errorText(result: number): string {
  const [, message] = getSystemErrorMap().get(result) ?? ['', `Unknown error ${-result}`]
  return message.charAt(0).toUpperCase() + message.slice(1)
}
