import { LEFT_OUT, type LeftOut } from './left-out.ts'
import type { Step } from '../transcript.ts'

/** How options files are read. */
export interface OptionRules {
  /** Is a variable of this name read by us? */
  isRead: (name: string) => boolean
  /** Is the line read without a shell? */
  isPlain: (line: string) => boolean
  /** Does an event warn of the line, as it was meant for us? */
  isMiss: (line: string) => boolean
}

/**
 * The step without what options files say to others, such as passwords. A replay takes the same way: a file that needed a shell
 * still needs a shell, and what the shell printed has each variable that we read. What a shell says that cannot read the file
 * may quote any line of it.
 */
export function withoutOthersOptions(step: Step, rules: OptionRules, leftOut: LeftOut): Step {
  if (step.verb === 'read' && step.path.endsWith('.options') && step.text !== undefined)
    return { ...step, text: eachLine(step.text, (line) => lineOfFile(line, rules)) }
  if (step.verb !== 'ask' || !readsOptions(step.argv) || !step.answer) return step
  const { status, out, err } = step.answer
  const isOurs = (line: string) => line === '' || line === ALL || rules.isRead(nameIn(line))
  const shown = out.split('\n').filter(isOurs).join('\n')
  const said = status === 0 || err.trim() === '' ? '' : `${leftOut.instead(err.trim(), LEFT_OUT)}\n`
  return { ...step, answer: { ...step.answer, out: shown, err: said } }
}

/** The last line of the shell that reads options. */
const ALL = '# all'

/** `sh -c TEXT sh FILE.options …` */
function readsOptions(argv: readonly string[]): boolean {
  return argv[0] === 'sh' && argv[1] === '-c' && argv.slice(4).some((file) => file.endsWith('.options'))
}

const nameIn = (line: string) => line.split('=', 1)[0] ?? ''

function eachLine(text: string, change: (line: string) => string): string {
  return text.split('\n').map(change).join('\n')
}

/** An assignment with the value that it begins with, without the comment after it. */
const ASSIGNED = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=(?:"[^"]*"|'[^']*'|[^ \t"']*)/

/** Comments may tell as much as values. `:` is a command that does nothing, as a line that only a shell can read. */
function lineOfFile(line: string, { isRead, isPlain, isMiss }: OptionRules): string {
  if (/^[ \t]*$/.test(line)) return line
  if (/^[ \t]*#/.test(line)) return '#'
  const [assigned = line, name = ''] = ASSIGNED.exec(line) ?? []
  if (isPlain(line)) return isRead(name) || isMiss(line) ? assigned : 'LEFT_OUT='
  return isMiss(line) ? line.replace(/[ \t]#.*$/, '') : ': left out'
}
