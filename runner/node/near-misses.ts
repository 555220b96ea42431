/**
 * Lines of an options file that were meant to set an option of ours and do not: a slip in its name, a blank beside `=`, another
 * language's way. Pure.
 */
import { basename } from 'node:path'
import { memoize } from '../base/memoize.ts'
import { nearest } from '../base/nearest.ts'
import { OPTION_NAMES } from './options.ts'

/** A line that assigns, or that somebody wanted to assign. */
const MEANT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w-]*)([ \t]*)=([^]*)$/

/**
 * The ways of YAML (`NAME: VALUE`), csh (`set NAME=VALUE`) and others. A line with a second command is none of these: a recording
 * keeps such a line whole.
 */
const OTHERWISE = /^[ \t]*(?:(?:set|setenv)[ \t]+)?\$?([A-Za-z_][\w-]*)(?:=|[ \t]*:|[ \t]+[^ \t])[^;&|]*$/

const OURS = 'EVENTSCRIPT_'

/** A WARNING for each such line of the file. */
export function nearMisses(file: string, text: string): string[] {
  return missesIn(text).map(
    ({ line, wrong }) => `WARNING: ${file} line ${line}: ${wrong}: mend ${basename(file)}`,
  )
}

const missesIn = memoize((text): readonly { line: number; wrong: string }[] =>
  text.split('\n').flatMap((each, i) => {
    const wrong = wrongWith(each)
    return wrong === undefined ? [] : [{ line: i + 1, wrong }]
  }),
)

function wrongWith(line: string): string | undefined {
  const [isMeant, name = '', before = '', value = ''] = MEANT.exec(line) ?? []
  if (isMeant === undefined) return wrongOtherwise(line)
  if (OPTION_NAMES.includes(name)) {
    const isApart = before !== '' || /^[ \t]+[^ \t#]/.test(value)
    return isApart
      ? `a blank beside "=" of ${name}: the shell sets nothing: expected ${name}=VALUE`
      : undefined
  }
  const meant = meantBy(name)
  return meant === undefined ? undefined : `${name} is no option: expected ${meant}`
}

function wrongOtherwise(line: string): string | undefined {
  const [, name = ''] = OTHERWISE.exec(line) ?? []
  const meant = OPTION_NAMES.includes(name) ? name : meantBy(name)
  if (meant === undefined) return undefined
  return `the shell sets no ${name} by this line: expected ${meant === ANY ? meant : `${meant}=VALUE`}`
}

const ANY = 'one of eventscript(8)'

/** The option that was probably meant by a name that is none. */
function meantBy(name: string): string | undefined {
  const spelt = name.toUpperCase().replaceAll('-', '_')
  const meant = nearest(spelt, OPTION_NAMES)
  return meant ?? (spelt.startsWith(OURS) ? ANY : undefined)
}
