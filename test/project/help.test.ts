/** `--help` of every command, in terminals of three widths: lines are broken between words. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from '../tap.ts'
import { DIST, MAIN } from '../lab/paths.ts'

/** The help of a command. A pipe has no width, so the test sets a width. */
async function help(columns: number, ...words: string[]): Promise<string> {
  const width = `data:text/javascript,process.stdout.columns=${columns}`
  // NODE_OPTIONS would load tap's own modules, and that takes most of the time.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--import', width, MAIN, ...words, '--help']
  return (await execa('env', command)).stdout
}

/** The words of a source, in which `\n` stands for the end of a line. */
const wordsOf = (text: string) => text.replaceAll('\\n', ' ').match(/[\p{L}\p{N}]+/gu) ?? []

/** Every word that help may print: words of our descriptions, and of yargs' own headings. */
const known = new Set(
  [
    join(DIST, 'runner/bin/eventscript.js'),
    ...readdirSync(join(DIST, 'runner/cli'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js'))
      .map((name) => join(DIST, 'runner/cli', name)),
    join(fileURLToPath(import.meta.resolve('yargs')), '../locales/en.json'),
  ].flatMap((file) => wordsOf(readFileSync(file, 'utf8'))),
)

for (const columns of [60, 80, 120])
  t.test(`no word is broken at ${columns} columns`, async (t) => {
    const first = await help(columns)
    const commands = [...first.matchAll(/^ {2}eventscript (\w+)/gm)].map(([, name = '']) => name)
    t.ok(commands.includes('run') && commands.includes('cleanup'), commands.join())
    const others = await Promise.all(commands.map((command) => help(columns, command)))
    for (const [i, text] of [first, ...others].entries()) {
      const name = ['eventscript', ...commands.slice(i - 1, i)].join(' ')
      t.same(
        wordsOf(text).filter((word) => !known.has(word)),
        [],
        name,
      )
      t.same(
        text.split('\n').filter((line) => line.length > columns),
        [],
        `${name}: no line is longer`,
      )
    }
  })
