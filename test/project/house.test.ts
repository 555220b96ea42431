/** The order of the source by subject, as `npm run lint` and these counts keep it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from '../tap.ts'
import { DIST } from '../lab/paths.ts'

const PROJECT = join(DIST, '..')
/** The most files of a folder, and its largest part of all lines. A folder beyond these holds several subjects. */
const MOST_FILES = 15
const MOST_LINES = 1 / 6

/** Each folder below, with its source files and their number of lines. */
function foldersOf(top: string): Map<string, { files: string[]; lines: number }> {
  const folders = new Map<string, { files: string[]; lines: number }>()
  for (const entry of readdirSync(join(PROJECT, top), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const folder = entry.parentPath.slice(PROJECT.length).replace(/^\//, '')
    const { files, lines } = folders.get(folder) ?? { files: [], lines: 0 }
    const count = readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n').length - 1
    folders.set(folder, { files: [...files, entry.name], lines: lines + count })
  }
  return folders
}

for (const top of ['runner', 'test'])
  t.test(`no folder of ${top}/ is too full`, (t) => {
    const folders = foldersOf(top)
    const all = [...folders.values()].reduce((sum, { lines }) => sum + lines, 0)
    t.ok(folders.size > 10, `${folders.size} folders`)
    for (const [folder, { files, lines }] of folders) {
      t.ok(files.length <= MOST_FILES, `${folder} has ${files.length} files, at most ${MOST_FILES}`)
      t.ok(lines <= all * MOST_LINES, `${folder} has ${lines} of ${all} lines, at most a sixth`)
    }
    t.end()
  })

t.test('each exported name of runner/ has a single meaning', (t) => {
  const owners = new Map<string, string[]>()
  for (const [folder, { files }] of foldersOf('runner'))
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      const text = readFileSync(join(PROJECT, folder, file), 'utf8')
      const exported =
        /^export (?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) +(\w+)/gm
      for (const [, name = ''] of text.matchAll(exported))
        owners.set(name, [...(owners.get(name) ?? []), join(folder, file)])
    }
  t.ok(owners.size > 500, `${owners.size} names`)
  t.same(
    [...owners].filter(([, where]) => where.length > 1),
    [],
  )
  t.end()
})

const WRONG = {
  'an import from a layer above': ['runner/machine/x.ts', "import '../cli/y.ts'\n", 'above this file'],
  'a type from a layer above': [
    'runner/net/dad/x.ts',
    "import type { Y } from '../../eventd/y.ts'\n",
    'above this',
  ],
  'what is handed on from above': ['runner/base/x.ts', "export * from '../inet/y.ts'\n", 'above this file'],
  'a folder without a layer': ['runner/other/x.ts', "import '../base/y.ts'\n", 'in no layer'],
} as const
const RIGHT = [
  ['runner/cli/x.ts', "import '../machine/y.ts'\n"],
  ['runner/eventd/x.ts', "import '../install/y.ts'\n"],
  ['runner/net/lvs/x.ts', "import '../address/y.ts'\n"],
] as const

t.test('the linter refuses an import from a higher layer, and no other import', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'es-layers-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const config = { jsPlugins: [join(PROJECT, 'scripts/lint/layers.mjs')], rules: { 'house/layers': 'error' } }
  writeFileSync(join(dir, 'lint.json'), JSON.stringify(config))
  const lint = async (file: string, text: string) => {
    mkdirSync(join(dir, file, '..'), { recursive: true })
    writeFileSync(join(dir, file), text)
    const program = join(PROJECT, 'node_modules/.bin/oxlint')
    // The environment is without tap's own modules, because oxlint's program cannot be loaded with them.
    return await execa('env', ['-u', 'NODE_OPTIONS', program, '-c', 'lint.json', file], {
      cwd: dir,
      reject: false,
    })
  }
  for (const [what, [file, text, message]] of Object.entries(WRONG)) {
    const { exitCode, stdout } = await lint(file, text)
    t.equal(exitCode, 1, what)
    t.match(stdout, message)
  }
  for (const [file, text] of RIGHT) {
    const { exitCode, stdout, stderr } = await lint(file, text)
    t.equal(exitCode, 0, `${stdout}${stderr}`)
  }
})
