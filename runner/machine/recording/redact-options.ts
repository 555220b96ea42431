import type { Step } from './transcript.ts'

/** Is a variable of this name read by us? */
type IsRead = (name: string) => boolean

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=[\w.,:/@%+\-"' \t]*(?:[ \t]#.*)?$/

/**
 * The step without what options files say to others, such as passwords. A replay takes the same way: a file that needed a shell
 * still needs a shell, and what the shell printed has each variable that we read.
 */
export function withoutOthersOptions(step: Step, isRead: IsRead): Step {
  if (step.verb === 'read' && step.path.endsWith('.options') && step.text !== undefined)
    return { ...step, text: eachLine(step.text, (line) => lineOfFile(line, isRead)) }
  if (step.verb !== 'ask' || !readsOptions(step.argv) || !step.answer) return step
  const { status, out, err } = step.answer
  const shown = out.split('\n').filter((line) => line.startsWith('#') || line === '' || isRead(nameIn(line)))
  return { ...step, answer: { ...step.answer, out: shown.join('\n'), err: status === 0 ? '' : err } }
}

/** `sh -c TEXT sh FILE.options …` */
function readsOptions(argv: readonly string[]): boolean {
  return argv[0] === 'sh' && argv[1] === '-c' && argv.slice(4).some((file) => file.endsWith('.options'))
}

const nameIn = (line: string) => line.split('=', 1)[0] ?? ''

function eachLine(text: string, change: (line: string) => string): string {
  return text.split('\n').map(change).join('\n')
}

/** Comments may tell as much as values. `:` is a command that does nothing, as a line that only a shell can read. */
function lineOfFile(line: string, isRead: IsRead): string {
  if (/^[ \t]*$/.test(line)) return line
  if (/^[ \t]*#/.test(line)) return '#'
  const [, name] = ASSIGNMENT.exec(line) ?? []
  if (name === undefined) return ': left out'
  return isRead(name) ? line.replace(/[ \t]#.*$/, '') : '# left out'
}
