/** A cluster of a release from its installation to its end, by one of the two ways to run us. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from '../tap.ts'
import {
  checkAsCtdb,
  ifacesAsCtdb,
  ipAsCtdb,
  nodesAsCtdb,
  scriptsAsCtdb,
  settled,
  statusAsCtdb,
} from '../lab/ctdb/as-ctdb.ts'
import { cleanedUp, ctdbdKilled, livingIsLeft } from './death.ts'
import { disabled, parked } from './moves.ts'
import { labOf, onNode, type Lab, type Tested } from './release.ts'

const NODES = ['0', '1', '2']
const ADDRESSES = [1, 2, 3].flatMap((i) => [`10.9.1.${i}`, `fd02::1:${i}`]).toSorted()
const PUBLIC = ADDRESSES.map((address) => `${address}/${address.includes(':') ? 64 : 16} eth0`)

/**
 * Every file of the node but what dpkg writes anew and what ctdbd runs on: kind, mode, owner, target, size and time of
 * each, the bytes of CTDB's programs and scripts, and what is diverted.
 */
const SEEN = `{ cd /
  find / /etc/ctdb/events -xdev -path /var/lib/dpkg -prune -o \\( -type d -printf '%p %y %m %U:%G\\n' -o -printf '%p %y %m %U:%G %l %s %T@\\n' \\) | sort
  find /usr/libexec/ctdb /usr/share/ctdb /usr/lib/systemd -type f -exec sha256sum {} + | sort
  dpkg-divert --list; }`

export interface Way {
  /** At most 8 letters, for the namespaces. */
  name: string
  install: string
  /** Our daemon stands in place of CTDB's. */
  daemon: boolean
}

export async function whole(t: Test, release: Tested, env: Record<string, string>, way: Way): Promise<void> {
  const lab = await labOf(way.name, env, PUBLIC, `${SEEN} >/run/before && eventscript ${way.install}`)
  t.teardown(() => lab.cluster('down'))
  t.comment(await lab.cluster('up', '3', '3', '6'))
  const views = () => Promise.all(NODES.map((node) => lab.cluster('ctdb', node, '-X', 'ip')))
  t.ok(await settled(views), 'each address is served, and none moves any more')

  const steps: Record<string, (t: Test) => Promise<void>> = {
    'doctor finds nothing': (one) => doctor(one, lab, release),
    'what lists something says what the ctdb tool says': (one) => listed(one, lab, way.daemon),
    'cleanup leaves a living node alone': (one) => livingIsLeft(one, lab),
    'a node is disabled': (one) => disabled(one, lab, ADDRESSES),
    'a rival has what a node had: park': (one) => parked(one, lab, ADDRESSES),
    ...(way.daemon
      ? { 'ctdbd is killed, and our daemon drops all': (one) => ctdbdKilled(one, lab, ADDRESSES) }
      : {}),
    'ctdbd is killed, with its event daemon, and cleanup drops all': (one) =>
      cleanedUp(one, lab, ADDRESSES, way.daemon ? ['0'] : ['0', '2']),
    'uninstall leaves all as it was': (one) => uninstalled(one, lab),
    'nothing of the cluster is left': (one) => ended(one, lab, way.name),
  }
  for (const [name, step] of Object.entries(steps)) await t.test(name, step)
}

async function doctor(t: Test, { on }: Lab, { node }: Tested): Promise<void> {
  const { status, out } = await on('0', 'doctor', '--json')
  t.equal(status, 0, out)
  const findings = JSON.parse(out) as { state: string; check: string; text: string }[]
  t.match(findings.find(({ check }) => check === 'node')?.text, new RegExp(`^v${node}\\b`))
  t.same(
    findings.filter(({ state }) => state !== 'ok'),
    [],
  )
}

async function listed(t: Test, lab: Lab, daemon: boolean): Promise<void> {
  for (const node of NODES)
    for (const row of await ipAsCtdb(t, onNode(lab, node), ADDRESSES.length))
      t.equal(row['State'], row['Node'] === node ? 'here' : 'elsewhere')
  const node = onNode(lab, '0')
  await ifacesAsCtdb(t, node)
  await nodesAsCtdb(t, node)
  await checkAsCtdb(t, node)
  await scriptsAsCtdb(t, node)
  if (daemon) await statusAsCtdb(t, node)
}

async function uninstalled(t: Test, { on, run }: Lab): Promise<void> {
  const changed = () => run('1', 'sh', '-c', `${SEEN} | diff /run/before -`)
  t.match(await changed(), { status: 1, out: /10\.interface\.script\.stock/ }, 'until then it is not')
  t.match(await on('1', 'uninstall'), { status: 0, err: '' })
  t.same(await changed(), { status: 0, out: '', err: '' })
}

async function ended(t: Test, { cluster, dir }: Lab, name: string): Promise<void> {
  const anchors = NODES.map((node) => readFileSync(join(dir, node, 'anchor'), 'utf8').trim())
  await cluster('down')
  const mine = readdirSync('/run/netns').filter((each) => each.startsWith(name))
  t.same([...mine, ...anchors.filter((pid) => existsSync(`/proc/${pid}/cwd`)), existsSync(dir)], [false])
}
