import type { Door } from '../machine/machine.ts'
import { refuse } from '../base/refusal.ts'
import { nearMisses } from './near-misses.ts'
import type { Facts } from './facts.ts'
import { plainAssignments } from './plain-options.ts'

export interface OptionsRead {
  values: Record<string, string>
  /** A sentence for each line that was meant to set an option, and does not. */
  warnings: readonly string[]
}

/**
 * Options files are shell, with quotes, expansions and conditions. So one shell reads both, and prints the variables of
 * CTDB and ours. Files with nothing but comments, as Debian ships them, and plain assignments need no shell.
 */
export async function readOptions(
  door: Door,
  files: readonly string[],
  env: Facts['env'],
  within?: number,
): Promise<OptionsRead> {
  const present: string[] = []
  const warnings: string[] = []
  let plain: Record<string, string> | undefined = {}
  for (const file of files) {
    const content = await door.read(file, { within })
    if (content === undefined || hasNothing(content)) continue
    present.push(file)
    warnings.push(...nearMisses(file, content))
    const values = plainAssignments(content)
    plain = plain && values && { ...plain, ...values }
  }
  if (plain) return { values: { ...env, ...plain }, warnings }
  const { status, out, err } = await door.ask`sh -c ${SOURCE} sh ${present}`
  if (status !== 0)
    refuse(`${present.join(', ')}: the shell cannot read it: ${err.trim() || `exit status ${status}`}`)
  if (!out.endsWith(`${END}\n`))
    refuse(
      `${present.join(', ')}: the shell ended before it had printed the options: was it killed, or is there an "exit" in it?`,
    )
  const values: Record<string, string> = {}
  for (const line of out.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0 && at < line.length - 1) values[line.slice(0, at)] = line.slice(at + 1)
  }
  return { values, warnings }
}

/** Comments and empty lines alone. */
function hasNothing(text: string): boolean {
  return text.split('\n').every((line) => /^[ \t]*(?:#|$)/.test(line))
}

/** The last line of the output: without it options are missing, and their defaults would be taken for the admin's will. */
const END = '# all'

/**
 * Source each file (its own output goes to stderr), then print NAME=VALUE in one line for each variable of CTDB or ours: all
 * of them, so that a recording stays valid when an option is added. A last command that fails, such as
 * `[ -e more ] && . more`, does not matter, as with CTDB. A file that does not parse ends the shell. Recordings hold this
 * text, so it is no file of runner/libexec.
 */
const SOURCE =
  `for f; do . "$f" >&2; done; set -f; unset IFS; ` +
  `set | while IFS== read -r n v; do case $n in *[!A-Z0-9_]*) ;; ` +
  `CTDB_*|EVENTSCRIPT_*) eval "set -- \\$$n"; printf "%s=%s\\n" "$n" "$*" ;; esac; done; echo "${END}"`
