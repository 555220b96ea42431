/** The guard of all tests fails where tap would pass. Each kind is planted in a file of its own, and run. */
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from '../tap.ts'

const TAP = fileURLToPath(new URL('../tap.js', import.meta.url))

/** The output and the exit status of a test file with this single test. */
async function planted(body: string): Promise<{ exitCode?: number; stdout: string }> {
  const text = `import t from ${JSON.stringify(TAP)}\nt.test('planted', ${body})`
  const words = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', text]
  return await execa('env', words, { reject: false, env: { TAP: '1' } })
}

const LOOSE: Record<string, [body: string, says: string]> = {
  'an empty list': ['async (t) => void t.match([1], [])', 'the pattern lists 0, the value has 1'],
  'a list shorter than the value': [
    'async (t) => void t.match([1, 2], [1])',
    'the pattern lists 1, the value has 2',
  ],
  'a short list inside': [
    'async (t) => void t.match({ a: [{ b: [1] }] }, { a: [{ b: [] }] })',
    'at a at 0 at b',
  ],
  'an empty object': ['async (t) => void t.match({ a: 1 }, {})', 'is empty, and accepts any object'],
  'an expression that accepts any text': ['async (t) => void t.match("x", /y?/)', 'accepts any text: /y?/'],
  'a loop without a turn': ['async (t) => { for (const x of []) t.ok(x) }', 'this test asserts nothing'],
  'a loop in a test that ends itself': ['(t) => { for (const x of []) t.ok(x); t.end() }', 'asserts nothing'],
  'a loop in a subtest': [
    '(t) => t.test("in", async (t) => { for (const x of []) t.ok(x) })',
    'asserts nothing',
  ],
}

for (const [what, [body, says]] of Object.entries(LOOSE))
  t.test(`${what} fails`, async (t) => {
    const { exitCode, stdout } = await planted(body)
    t.equal(exitCode, 1)
    t.match(stdout, says)
  })

t.test('a pattern as long as the value decides as in tap', async (t) => {
  const good = '{ status: 0, lines: [/^a/, "b"], none: [], err: "" }'
  const run = (found: string) => planted(`async (t) => void t.match(${found}, ${good})`)
  t.match(await run('{ status: 0, lines: ["a1", "b"], none: [], err: "", more: 1 }'), { exitCode: 0 })
  t.match(await run('{ status: 0, lines: ["1a", "b"], none: [], err: "" }'), { exitCode: 1, stdout: /@@ / })
  t.match(
    await run('{ status: 0, lines: ["a1", "b"], err: "" }'),
    { exitCode: 1 },
    'a value is no list where a list is expected',
  )
  t.match(await planted('async (t) => t.plan(0, "no such program")'), {
    exitCode: 0,
    stdout: /no such program/,
  })
})
