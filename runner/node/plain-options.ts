import { remembering } from '../base/memoize.ts'

/** One assignment to a line, of a value in which a shell would find nothing to do, with or without quotes. */
const ASSIGNMENT =
  /^\s*(?:export\s+)?([A-Za-z_]\w*)=(?:([\w.,:/@%+-]*)|"([^"$`\\]*)"|'([^']*)')\s*(?:\s#.*)?$/

/**
 * The variables of an options file that holds nothing but comments and plain assignments, as most do: to read these no
 * shell is started. Undefined when there is more in it, which only a shell can tell.
 */
export const plainAssignments: (text: string) => Readonly<Record<string, string>> | undefined =
  remembering(assignmentsIn)

function assignmentsIn(text: string): Record<string, string> | undefined {
  const values: Record<string, string> = {}
  for (const line of text.split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const [, name, bare, double, single] = ASSIGNMENT.exec(line) ?? []
    if (name === undefined) return undefined
    // as the words that the shell would print: one blank between them
    values[name] = (bare ?? double ?? single ?? '').split(/\s+/).filter(Boolean).join(' ')
  }
  return values
}
