/**
 * `npm run record:lines [-- WORD…]`: asks the real ctdbd of both releases for its verdict on each line of the table again, or on
 * the lines whose file or name has one of these words. Needs root.
 */
import { writeFileSync } from 'node:fs'
import { judged, LINES, TABLE, type Line } from '../lab/ctdb/lines.ts'
import { chosen, have } from '../releases/release.ts'

const words = process.argv.slice(2)
const isAsked = ({ file, what }: Line) =>
  words.length === 0 || words.some((word) => `${file} ${what}`.includes(word))

process.env['RELEASES'] ??= 'sid'
const [sid] = chosen()
const had = sid ? await have(sid) : { why: 'no sid' }
if ('why' in had) throw new Error(had.why)

for (const line of LINES.filter(isAsked)) {
  line['4.17'] = await judged(line)
  line['4.25'] = await judged(line, had.env['RELEASE_ROOT'])
}
writeFileSync(TABLE, `${JSON.stringify(LINES, undefined, 2)}\n`)
