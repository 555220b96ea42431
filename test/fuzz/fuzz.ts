/**
 * `npm run fuzz [-- SECONDS [PARSER…]]`: random texts for each parser, for so many seconds each (60), with a seed of the day;
 * all parsers, or those that are named. A text that a parser does not stand is printed with its seed.
 */
import { answersOrRefuses, slowest } from './property.ts'
import { PARSERS } from './parsers.ts'

const [seconds = '60', ...words] = process.argv.slice(2)
const limit = Number(seconds) * 1000
if (!(limit > 0)) throw new Error(`"${seconds}": expected a number of seconds`)

for (const name of Object.keys(PARSERS)) {
  if (words.length > 0 && !words.includes(name)) continue
  const until = performance.now() + limit
  let texts = 0
  for (; performance.now() < until; texts += 500) answersOrRefuses(name, { numRuns: 500 })
  const { ms, run } = slowest(name)
  console.log(`${name}: ${texts} texts; the slowest run took ${ms.toFixed(0)} ms: ${run}`)
}
