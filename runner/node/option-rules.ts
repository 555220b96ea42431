import type { OptionRules } from '../machine/recording/redact/redact-options.ts'
import { nearMisses } from './near-misses.ts'
import { OPTION_NAMES } from './options.ts'
import { plainAssignments } from './plain-options.ts'

/** How we read options files, for a recording that leaves out what others read there. */
export const OPTION_RULES: OptionRules = {
  // near misses of our names are ours too: an event warns of them
  isRead: (name) => OPTION_NAMES.includes(name) || name.startsWith('EVENTSCRIPT_'),
  isPlain: (line) => plainAssignments(line) !== undefined,
  isMiss: (line) => nearMisses('', line).length > 0,
}
