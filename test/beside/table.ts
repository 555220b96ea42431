/** The table of a release in docs/beside.md: made of what was seen, read again, compared, written. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { REPOSITORY } from '../lab/paths.ts'
import { GROUPS } from './groups.ts'
import type { Outcome } from './row.ts'

export const DOCUMENT = join(REPOSITORY, 'docs/beside.md')

const HEAD = ['Program', 'Command', 'Removes', 'Back after', 'Logged']

/** The cells of a row. */
export type Cells = readonly string[]

export function cellsOf(program: string, command: string, { removes, back, stays, says }: Outcome): Cells {
  const nothing = removes.length === 0
  const when = back === undefined ? `not by itself: ${stays.join(', ')}` : `${back} s`
  return [
    program,
    `\`${command}\``,
    nothing ? 'nothing' : removes.join(', '),
    nothing ? '' : when,
    says.join('; '),
  ]
}

/**
 * What is the same on every machine: not the seconds. Where addresses go too, either the takeover run puts rules and routes
 * back, or a monitor event before that, which logs it.
 */
export function comparable([program, command, removes = '', back = '', logged = '']: Cells): Cells {
  const isRace = removes.includes('addresses')
  const sayings = logged.split('; ').filter((each) => !isRace || !each.includes('put back'))
  return [program ?? '', command ?? '', removes, back.replace(/^\d+ s$/, 'N s'), sayings.join('; ')]
}

const marks = (release: string) => [`<!-- made by test:beside: ${release} -->`, '<!-- end -->'] as const

const ORDER = GROUPS.flatMap(({ name, commands }) => commands.map(({ typed }) => [name, `\`${typed}\``]))

/** All rows of that release: those that were seen now, and the others as documented. */
function merged(release: string, seen: readonly Cells[]): Cells[] {
  const known = [...seen, ...documented(release)]
  return ORDER.flatMap((row) => {
    const found = known.find((each) => each[0] === row[0] && each[1] === row[1])
    return found ? [found] : []
  })
}

/** The rows of that release in the document. */
export function documented(release: string): Cells[] {
  const [begin, end] = marks(release)
  const part = readFileSync(DOCUMENT, 'utf8').split(begin)[1]?.split(end)[0] ?? ''
  const rows = part.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((line) =>
    line
      .replaceAll(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim()),
  )
}

/** Are these words in the document, wherever its lines break? */
export function isSaid(words: string): boolean {
  return readFileSync(DOCUMENT, 'utf8').replaceAll(/\s+/g, ' ').includes(words)
}

export async function write(release: string, rows: readonly Cells[]): Promise<void> {
  const [begin, end] = marks(release)
  const text = readFileSync(DOCUMENT, 'utf8')
  const [before, after] = text.split(begin)
  if (after === undefined) throw new Error(`${DOCUMENT} has no line ${begin}`)
  const line = (cells: Cells) => `| ${cells.join(' | ')} |`
  const table = [line(HEAD), line(HEAD.map(() => '---')), ...merged(release, rows).map(line)].join('\n')
  writeFileSync(DOCUMENT, `${before}${begin}\n\n${table}\n\n${after.slice(after.indexOf(end))}`)
  // tap's own hooks are none of oxfmt's
  await execa('env', ['-u', 'NODE_OPTIONS', 'npx', 'oxfmt', DOCUMENT], { cwd: REPOSITORY })
}
