/** Our reading of CTDB's files, beside the recorded verdicts of the real ctdbd: fixtures/ctdb-files. */
import t from '../tap.ts'
import { LINES, ours, RELEASES } from '../lab/ctdb/lines.ts'

t.test('each line is read as ctdbd reads it, or the table says why not', async (t) => {
  const wrong: object[] = []
  for (const { file, what, ours: expected, why, ...line } of LINES) {
    const seen = await ours({ file, what, ...line })
    const others = RELEASES.filter((release) => seen !== line[release])
    // a reason stands where there is a difference, and only there
    if (
      (why === undefined && others.length > 0) ||
      (why !== undefined && seen !== expected) ||
      (why && others.length === 0)
    )
      wrong.push({ file, what, seen, expected, others })
  }
  t.same(wrong, [])
})

t.test('the table has enough lines, each once', (t) => {
  const names = LINES.map(({ file, what }) => `${file}: ${what}`)
  t.equal(new Set(names).size, names.length)
  t.ok(LINES.length >= 40)
  t.end()
})
