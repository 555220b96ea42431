/** What moves addresses in a cluster whose nodes are all alive: a node disabled, and a rival that has what it leaves. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from '../tap.ts'
import { heldOn, nobodyBanned, parkedOn } from '../lab/ctdb/conflict.ts'
import { eventually, failback, held, options, troubleIn } from '../lab/ctdb/nodes.ts'
import type { Lab } from './release.ts'

/** So long a rival is looked at: two takeover runs that fail would ban a node, and they come a second apart. */
const RIVAL_S = 10

/** Addresses of each node, when all are well. */
const SHARE = 2

const joined = (addresses: readonly string[]) => addresses.toSorted().join()

/** Node 2 gives away what it has, and gets its share again. */
export async function disabled(t: Test, { cluster, dir }: Lab, all: readonly string[]): Promise<void> {
  await cluster('ctdb', '2', 'disable')
  t.ok(
    await eventually(async () => joined(await heldOn(cluster, '0', '1')) === joined(all)),
    'all is up elsewhere',
  )
  t.same(await held(cluster, '2'), [], 'and nothing here')
  for (const node of ['0', '1']) {
    const status = await cluster('ctdb', node, 'event', 'status', 'legacy', 'monitor')
    t.match(status, /^10\.interface +OK/m)
  }
  t.same(troubleIn(dir, 3), { timeouts: 0, bans: 0 })
  t.ok(await failback(cluster, '2', SHARE), 'enabled again, it has its share')
}

/** A rival has what node 2 had, which is disabled then: `park` keeps it off the wire until the rival goes. */
export async function parked(t: Test, { cluster, dir }: Lab, all: readonly string[]): Promise<void> {
  options(dir, 3, 'EVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV4_DAD=yes\n')
  const contested = await held(cluster, '2')
  t.ok(contested.some((a) => a.includes(':')) && contested.some((a) => !a.includes(':')), 'of both families')
  const others = all.filter((address) => !contested.includes(address))
  await cluster('rogue', ...contested)
  // the tool waits for the takeover, and complains when that fails
  await cluster('ctdb', '2', 'disable').catch(() => '')
  t.ok(
    await eventually(async () => joined(await parkedOn(cluster, '0', '1')) === joined(contested), 30),
    'what the rival has is parked',
  )
  for (let s = 0; s < RIVAL_S; s += 1) {
    await sleep(1000)
    const now = await heldOn(cluster, '0', '1')
    t.same(
      others.filter((address) => !now.includes(address)),
      [],
      'the others are served',
    )
  }
  t.ok(await nobodyBanned(cluster, dir, 3), 'nobody is banned')
  t.same(await parkedOn(cluster, '0', '1'), contested)
  await cluster('rogue')
  t.ok(
    await eventually(async () => joined(await heldOn(cluster, '0', '1')) === joined(all)),
    'all is served when the rival has gone',
  )
  t.ok(await eventually(async () => (await parkedOn(cluster, '0', '1')).length === 0), 'nothing is parked')
  t.ok(await nobodyBanned(cluster, dir, 3), 'nobody is banned')
  t.ok(await failback(cluster, '2', SHARE), 'enabled again, node 2 has its share')
}
