/** A recording as text: a line for each step and note, and indented lines for what came back. */
import type { Verb } from '../machine.ts'
import { toShell } from '../argv.ts'
import { TITLE, type Header, type How, type Note, type Step } from './transcript.ts'

export function writeHeader({ event, words, env, facts }: Header): string {
  const pairs = (verb: string, table: Readonly<Record<string, string>>) =>
    Object.entries(table).map(([name, value]) => `${verb} ${toShell([`${name}=${value}`])}`)
  return (
    [TITLE, `event ${toShell([event, ...words])}`, ...pairs('env', env), ...pairs('fact', facts), ''].join(
      '\n',
    ) + '\n'
  )
}

/** The line that names a step: what is done, before it is known how it ends. */
export function writeHead(step: Step): string {
  switch (step.verb) {
    case 'ask':
    case 'change':
      return `${wordOf(step)} ${toShell(step.argv)}\n` + writeText('in', step.input)
    case 'write':
      return `write ${toShell([step.path])}\n` + writeText('in', step.text)
    case 'lock':
      return `lock ${toShell([step.path, String(step.seconds), ...(step.shared ? ['shared'] : [])])}\n`
    case 'find':
      return `find ${toShell([step.program])}\n`
    default:
      return `${step.verb} ${toShell([step.path])}\n`
  }
}

function wordOf(step: { verb: Verb; how: How }): string {
  return step.how === 'run' ? step.verb : step.how
}

/** The lines that say how a step ended. */
export function writeTail(step: Step): string {
  const ms = step.ms === undefined ? '' : `  took ${step.ms.toFixed(1)} ms\n`
  if (step.trouble) return `  error ${step.trouble.kind} ${toShell([step.trouble.code])}\n` + ms
  switch (step.verb) {
    case 'ask':
    case 'change':
      if (!step.answer) return ms
      return (
        `  exit ${[step.answer.status, step.answer.signal].filter((each) => each !== undefined).join(' ')}\n` +
        writeText('out', step.answer.out) +
        writeText('err', step.answer.err) +
        ms
      )
    case 'read':
      // an empty file is said, so that it differs from a look that never ended
      return (step.absent ? '  absent\n' : writeText('out', step.text) || EMPTY) + ms
    case 'find':
      return step.path === undefined ? '  absent\n' : writeText('out', `${step.path}\n`)
    default:
      return ms
  }
}

const EMPTY = '  out= ""\n'

export function writeNote(note: Note): string {
  switch (note.verb) {
    case 'handler':
      return `handler ${toShell([note.name])}\n`
    case 'say':
    case 'because':
      return note.text
        .split('\n')
        .map((line) => `${note.verb} ${line}\n`)
        .join('')
    case 'end':
      return `end ${note.outcome}\n` + writeText('why', note.why)
    case 'result':
      return `result ${note.outcome}\n`
  }
}

/**
 * Text as lines of its own, `out TEXT`. A line that has no newline at its end, or holds control characters,
 * is written as a JSON string after `out=`, so that nothing is lost.
 */
function writeText(label: string, text: string | undefined): string {
  if (!text) return ''
  const lines = text.split('\n')
  const last = lines.pop() ?? ''
  const plain = lines.map((line) =>
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    /^[^\u0000-\u0008\u000b-\u001f\u007f]*$/.test(line)
      ? `  ${label} ${line}\n`
      : `  ${label}= ${JSON.stringify(`${line}\n`)}\n`,
  )
  return plain.join('') + (last === '' ? '' : `  ${label}= ${JSON.stringify(last)}\n`)
}
