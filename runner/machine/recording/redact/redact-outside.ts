/** What others have written that decides nothing: comments in lists, names that an admin gives to rules and devices. */
import { canonical } from '../../../inet/address.ts'
import { LEFT_OUT, type LeftOut } from './left-out.ts'
import type { Step } from '../transcript.ts'

/** A comment begins a line, or follows a blank; not so `eth#0`. */
const COMMENT = /(?<=^|[ \t])#[^\n\r]*/gm

/** The step without such text, in what is read and written, and in what `ip` and the firewall list. */
export function withoutOthersWords(step: Step, leftOut: LeftOut): Step {
  switch (step.verb) {
    case 'read':
    case 'write':
      return isList(step.path) && step.text !== undefined
        ? { ...step, text: step.text.replaceAll(COMMENT, (comment) => withoutWords(comment, leftOut)) }
        : step
    case 'ask':
    case 'change':
      return step.how === 'run' && step.answer
        ? { ...step, answer: { ...step.answer, out: withoutNames(step.argv[0] ?? '', step.answer.out) } }
        : step
    default:
      return step
  }
}

/** What the kernel shows has no comments; those of options files are looked after with their lines. */
function isList(path: string): boolean {
  return !/^\/(?:proc|sys)\//.test(path) && !/(?:\.options|\/)$/.test(path)
}

/** In the list of nodes an address after `#` is a node that was deleted: it decides who has which number. */
function withoutWords(comment: string, leftOut: LeftOut): string {
  const words = comment.replace(/^#+/, '').trim()
  if (words === '' || canonical(words) !== undefined) return comment
  // as a message may quote it
  for (const form of [
    JSON.stringify(comment).slice(1, -1),
    comment.replaceAll(/[ \t]+/g, ' '),
    comment.trimEnd(),
  ])
    leftOut.instead(form, INSTEAD)
  return leftOut.instead(comment, INSTEAD)
}

const INSTEAD = `# ${LEFT_OUT}`

/** A comment of a rule other than our mark, and a description of a device. The kernel has at most 255 bytes of each. */
const RULE_COMMENT = /(?<= --comment )(?!"?eventscript"?(?:\s|$))(?:"(?:[^"\\]|\\.){0,600}"|\S{1,600})/g
const DESCRIPTION = /(?<="ifalias":\s{0,9}")[^]{0,1800}?(?="\s{0,9}[,}\n])/g

/** In a description each letter is another: its other characters may break JSON. */
function withoutNames(program: string, out: string): string {
  if (/ip6?tables$/.test(program)) return out.replaceAll(RULE_COMMENT, `"${LEFT_OUT}"`)
  return out.replaceAll(DESCRIPTION, (text) =>
    text.replaceAll(/\\u[0-9a-f]{4}|\\.|[\p{L}\p{N}]/giu, (each) => (each.startsWith('\\') ? each : 'x')),
  )
}
