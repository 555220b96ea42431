import { memoize } from '../base/memoize.ts'

/** A line with one assignment whose value, quoted or not, needs no work of a shell. */
const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=(?:([\w.,:/@%+-]*)|"([^"$`\\]*)"|'([^']*)')[ \t]*(?:[ \t]#.*)?$/

/**
 * The variables of an options file with nothing but comments and plain assignments, as most are: these need no shell.
 * Undefined when the file holds more, which only a shell can read.
 */
export const plainAssignments: (text: string) => Readonly<Record<string, string>> | undefined =
  memoize(assignmentsIn)

function assignmentsIn(text: string): Record<string, string> | undefined {
  const values: Record<string, string> = {}
  for (const line of text.split('\n')) {
    if (/^[ \t]*(?:#|$)/.test(line)) continue
    const [, name, bare, double, single] = ASSIGNMENT.exec(line) ?? []
    if (name === undefined) return undefined
    // in the form that the shell would print: one blank between words
    values[name] = (bare ?? double ?? single ?? '')
      .split(/[ \t]+/)
      .filter(Boolean)
      .join(' ')
  }
  return values
}
