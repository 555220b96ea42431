/** The chroots have the versions of the README's table: a change of one is a change of the other. */
import { execa } from 'execa'
import t from '../tap.ts'
import { chosen, have, type Tested } from './release.ts'

const SAYS: readonly [keyof Tested & ('ctdb' | 'iproute2' | 'node'), string[], RegExp][] = [
  ['ctdb', ['ctdb', 'version'], /^([\d.]+)/],
  ['iproute2', ['ip', '-V'], /iproute2-([\d.]+)/],
  ['node', ['node', '--version'], /^v([\d.]+)/],
]

for (const release of chosen()) {
  const had = await have(release)
  t.test(release.release, { skip: 'why' in had && had.why }, async (t) => {
    if ('why' in had) return
    const { RELEASE_ROOT: root = '', NODE_PROGRAM: node } = had.env
    for (const [column, argv, version] of SAYS) {
      const [program = '', ...words] =
        column === 'node' && node !== undefined ? [node, '--version'] : ['chroot', root, ...argv]
      const { stdout } = await execa(program, words)
      const seen = version.exec(stdout)?.[1]
      t.ok(
        `${seen}.`.startsWith(`${release[column]}.`),
        `${release.release} has ${column} ${seen}; test/releases/tested.json and the README say ${release[column]}`,
      )
    }
  })
}
