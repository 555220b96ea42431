/** The end of ctdbd on a node of a release's cluster: by KILL, with its event daemon or without; and `cleanup`. */
import type { Test } from '../tap.ts'
import { heldOn, nobodyBanned } from '../lab/ctdb/conflict.ts'
import { eventually, held, kill } from '../lab/ctdb/nodes.ts'
import type { Lab } from './release.ts'

const nothingOn = (lab: Lab, node: string) =>
  eventually(async () => (await held(lab.cluster, node)).length === 0)

/** The survivors take all, within so long of the node's end that nobody is banned for trying. */
async function survived(t: Test, { cluster, dir }: Lab, all: readonly string[], survivors: string[]) {
  t.ok(
    await eventually(async () => (await heldOn(cluster, ...survivors)).join() === all.join(), 60),
    `all is served by ${survivors.join(' and ')}`,
  )
  t.ok(await nobodyBanned(cluster, dir, 3), 'nobody is banned')
}

/** One line that says who lives, exit status 1, and no address less. */
export async function livingIsLeft(t: Test, lab: Lab): Promise<void> {
  for (const node of ['0', '1', '2']) {
    const before = await held(lab.cluster, node)
    t.ok(before.length > 0)
    const refused = await lab.on(node, 'cleanup')
    t.match(refused, { status: 1, out: '', err: /^eventscript: .*ctdbd/ })
    t.notMatch(refused.err, '\n')
    t.same(await held(lab.cluster, node), before)
  }
}

/** Our daemon outlives ctdbd by just its last act. */
export async function ctdbdKilled(t: Test, lab: Lab, all: readonly string[]): Promise<void> {
  await kill(lab.cluster, '2', 'ctdbd')
  t.ok(await nothingOn(lab, '2'), 'the daemon drops the addresses of the dead node')
  t.match(await lab.on('2', 'cleanup'), { status: 0, err: '' })
  await survived(t, lab, all, ['0', '1'])
}

/** Node 1, as systemd does it when ctdbd and its event daemon are gone. */
export async function cleanedUp(
  t: Test,
  lab: Lab,
  all: readonly string[],
  survivors: string[],
): Promise<void> {
  const had = await held(lab.cluster, '1')
  t.ok(had.length > 0)
  await kill(lab.cluster, '1', 'ctdbd', 'eventd')
  t.same(await held(lab.cluster, '1'), had, 'nobody is left to drop them')
  const cleaned = await lab.on('1', 'cleanup')
  t.match(cleaned, { status: 0, err: '', out: `${had.length} addresses dropped` })
  t.same(await held(lab.cluster, '1'), [])
  t.match(await lab.on('1', 'cleanup'), { status: 0, out: '', err: '' }, 'again: nothing to do or say')
  await survived(t, lab, all, survivors)
}
