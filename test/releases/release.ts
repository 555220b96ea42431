/** The releases of Debian that the suites run: a chroot of each, our package and a node in it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { OnNode } from '../lab/ctdb/as-ctdb.ts'
import { askIn, clusterIn, type Cluster } from '../lab/ctdb/nodes.ts'
import type { Result } from '../lab/host/namespace.ts'
import { RELEASE_ROOT } from '../lab/ctdb/root.ts'
import { REPOSITORY } from '../lab/paths.ts'

/** A row of the README's table. A version may be shorter than what the programs say: `24` is any node 24. */
export interface Tested {
  release: string
  distribution: string
  ctdb: string
  iproute2: string
  node: string
  /** The node is npm's, of just that version: Debian's own is too old, or another one is to be seen as well. */
  npm?: boolean
  /** Of the release that is booted: see systemd.test.ts. */
  systemd?: string
}

export const TESTED = JSON.parse(
  readFileSync(join(REPOSITORY, 'test/releases/tested.json'), 'utf8'),
) as Tested[]

/** All, or those that RELEASES names, between commas. */
export function chosen(): Tested[] {
  const names = process.env['RELEASES']?.split(',') ?? TESTED.map(({ release }) => release)
  return names.map((name) => {
    const found = TESTED.find(({ release }) => release === name)
    if (!found) throw new Error(`RELEASES: "${name}": expected some of test/releases/tested.json`)
    return found
  })
}

export type Had = { env: Record<string, string> } | { why: string }

/** Each node has an overlay above the chroot; not every container may mount one. */
const tryOverlay = (root: string) =>
  execa('unshare', ['-m', '--propagation', 'private', 'sh', '-c', OVERLAY, 'sh', root], { reject: false })
const OVERLAY = `at=$(mktemp -d) && mount -t tmpfs tmpfs $at && mkdir $at/up $at/work $at/root &&
  mount -t overlay -o "lowerdir=$1,upperdir=$at/up,workdir=$at/work" overlay $at/root
  status=$?; umount -l $at; rmdir $at; exit $status`

/** The release's chroot and node as `cluster` wants them; or why they cannot be had here. */
export async function have({ release, node, npm }: Tested): Promise<Had> {
  const wanted = [[release], ...(npm ? [['--node', node]] : [])]
  const got = await Promise.all(wanted.map((words) => execa(RELEASE_ROOT, words, { reject: false })))
  const [root = '', program] = got.map(({ stdout }) => stdout)
  const missing = got.find(({ exitCode }) => exitCode !== 0) ?? (await tryOverlay(root))
  if (missing.exitCode !== 0)
    return { why: `${release} cannot be had: ${missing.stderr.trim().split('\n').at(-1)}` }
  return {
    env: {
      RELEASE_ROOT: root,
      OURS: REPOSITORY,
      ...(program === undefined ? {} : { NODE_PROGRAM: program }),
    },
  }
}

export interface Lab {
  dir: string
  cluster: Cluster
  /** `eventscript WORDS…` on that node. */
  on: (node: string, ...words: string[]) => Promise<Result>
  /** Any command there. */
  run: (node: string, ...words: string[]) => Promise<Result>
}

/** Three nodes, not started yet; `env` as of `have`, `hook` is run on each before its ctdbd starts. `name` as for `clusterIn`. */
export async function labOf(
  name: string,
  env: Record<string, string>,
  publicAddresses: readonly string[],
  hook: string,
): Promise<Lab> {
  const dir = `/tmp/eventscript-${name}`
  const file = join(dir, 'public_addresses')
  const more = { ...env, PUBLIC: file, HOOK: hook }
  const [ask, cluster] = [askIn(name, dir, more), clusterIn(name, dir, more)]
  // a run that was killed has left its own
  await cluster('down')
  mkdirSync(dir, { recursive: true })
  writeFileSync(file, publicAddresses.map((line) => `${line}\n`).join(''))
  const run: Lab['run'] = (node, ...words) => ask('exec', node, ...words)
  return { dir, cluster, run, on: (node, ...words) => run(node, 'eventscript', ...words) }
}

export const onNode = ({ cluster, on }: Lab, node: string): OnNode => ({
  ours: (...words) => on(node, ...words),
  ctdb: (...words) => cluster('ctdb', node, ...words),
})
