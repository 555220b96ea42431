/** The short form of `npm run fuzz`, with a fixed seed. */
import t from '../tap.ts'
import { PARSERS } from './parsers.ts'
import { answersOrRefuses, slowest } from './property.ts'

for (const name of Object.keys(PARSERS))
  t.test(`${name}: any text is read or refused, in linear time`, (t) => {
    t.doesNotThrow(() => answersOrRefuses(name, { seed: 16, numRuns: 100 }))
    const { ms, run } = slowest(name)
    // a square of that length would be minutes; a slow machine under load has seconds
    t.ok(ms < 5000, `${run} took ${ms.toFixed(0)} ms`)
    t.end()
  })
