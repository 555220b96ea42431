/**
 * A host outside the cluster holds two of six public addresses, and the node that had them is disabled: what each policy
 * makes of it on a real cluster. With CTDB's own handler the nodes that take them are banned, one after the other.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from '../tap.ts'
import {
  clusterIn,
  eventually,
  hasShare,
  held,
  options,
  OUR_DAEMON,
  OUR_SCRIPT,
  whyNoCluster,
  type Cluster,
} from '../lab/ctdb/nodes.ts'
import { heldOn, nobodyBanned, parkedOn } from '../lab/ctdb/conflict.ts'

const NODES = 3
const ADDRESSES = 6
const DIR = '/tmp/eventscript-rogue'
/** Seconds after the end of the rogue until all is as it should be. */
const BACK_S = 20

const parked = (cluster: Cluster) => parkedOn(cluster, '0', '1')
const noBans = (cluster: Cluster) => nobodyBanned(cluster, DIR, NODES)

interface Scene {
  cluster: Cluster
  /** What the rogue holds too: once those of node 2, which is disabled now. */
  contested: string[]
  others: string[]
}

async function scene(
  t: Test,
  family: '4' | '6',
  who: Record<string, string>,
  policy: string,
): Promise<Scene> {
  const cluster = clusterIn('esrg', DIR, who)
  t.teardown(() => cluster('down'))
  await cluster('up', `${NODES}`, `${ADDRESSES}`, family)
  for (const node of ['0', '1', '2'])
    t.ok(await hasShare(cluster, node, ADDRESSES / NODES), `node ${node} has its share`)
  options(DIR, NODES, `EVENTSCRIPT_DAD_CONFLICT=${policy}\nEVENTSCRIPT_IPV4_DAD=yes\n`)
  const contested = await held(cluster, '2')
  const others = await heldOn(cluster, '0', '1')
  t.equal(contested.length + others.length, ADDRESSES)
  await cluster('rogue', ...contested)
  // the tool waits for the takeover, and complains when that fails
  await cluster('ctdb', '2', 'disable').catch(() => '')
  return { cluster, contested, others }
}

const why = whyNoCluster()
if (why) t.plan(0, why)
else {
  for (const [family, who, name, through] of [
    ['6', OUR_DAEMON, 'our event daemon', 60],
    ['6', OUR_SCRIPT, "our script in CTDB's event daemon", 20],
    ['4', OUR_DAEMON, 'our event daemon', 20],
  ] as const)
    t.test(
      `IPv${family}, ${name}, park: the others are served, and these as soon as the rogue is gone`,
      async (t) => {
        const { cluster, contested, others } = await scene(t, family, who, 'park')
        t.ok(
          await eventually(async () => (await parked(cluster)).join() === contested.join(), 30),
          'what the rogue has is parked',
        )
        const last = performance.now() + through * 1000
        let looks = 0
        while (performance.now() < last) {
          looks += 1
          const now = await heldOn(cluster, '0', '1')
          const missing = others.filter((address) => !now.includes(address))
          if (missing.length > 0 || !(await noBans(cluster))) {
            t.same(missing, [], 'the others are served throughout')
            t.ok(await noBans(cluster), 'nobody is banned')
            break
          }
          await sleep(500)
        }
        t.comment(`${looks} looks in ${through} s`)
        t.ok(looks > 10)
        t.same(await parked(cluster), contested)

        await cluster('rogue')
        const gone = performance.now()
        t.ok(
          await eventually(
            async () =>
              (await heldOn(cluster, '0', '1')).join() === [...others, ...contested].toSorted().join(),
            BACK_S,
          ),
          `they are taken within ${BACK_S} s after the rogue`,
        )
        t.comment(`taken ${((performance.now() - gone) / 1000).toFixed(1)} s after the rogue`)
        t.ok(await eventually(async () => (await parked(cluster)).length === 0), 'and nothing is parked')
        t.ok(await noBans(cluster), 'nobody is banned')
        await allServed(t, cluster, [...others, ...contested])
      },
    )

  t.test('IPv6, seize: all can be reached from a client', async (t) => {
    const { cluster, contested, others } = await scene(t, '6', OUR_DAEMON, 'seize')
    const all = [...others, ...contested].toSorted()
    t.ok(await eventually(async () => (await heldOn(cluster, '0', '1')).join() === all.join(), 30))
    await allServed(t, cluster, all)
    t.ok(await noBans(cluster), 'nobody is banned')
  })

  t.test(
    'IPv6, fail: the event fails and says who has it, and the address is served by nobody',
    async (t) => {
      const { cluster, contested } = await scene(t, '6', OUR_DAEMON, 'fail')
      const [first = ''] = contested
      const failed = new RegExp(
        `Failed to add ${first}/64 on dev eth0: another host has this address \\(dadfailed\\): \\S+ on eth0`,
      )
      const logs = async () => (await Promise.all(['0', '1'].map((node) => cluster('log', node)))).join('')
      t.ok(
        await eventually(async () => failed.test(await logs()), 60),
        'the log names the address and the MAC',
      )
      // it is tried again and again, and there for the moment of a try
      const isGone = async () => {
        const now = await heldOn(cluster, '0', '1')
        return !contested.some((address) => now.includes(address))
      }
      t.ok(await eventually(isGone, 60), 'no node keeps what the rogue has')
    },
  )
}

const PORT = '7445'

/** A client reaches a node at each of these addresses, even if another host answers for them. */
async function allServed(t: Test, cluster: Cluster, addresses: readonly string[]): Promise<void> {
  for (const node of ['0', '1']) serve(t, cluster, node)
  for (const address of addresses) {
    const isServed = await eventually(async () => (await served(cluster, address)) === 'node', 30)
    t.ok(isServed, `${address} is served by a node`)
  }
}

/** A server on all addresses of a node. */
function serve(t: Test, cluster: Cluster, node: string): void {
  const server = `require('net').createServer((c) => c.end('node')).listen({ host: '::', port: ${PORT} }); setTimeout(() => process.exit(), 120000)`
  const running = cluster('exec', node, process.execPath, '-e', server).catch(() => '')
  t.teardown(() => void running)
}

/** What a client reads there: the rogue has no server. */
async function served(cluster: Cluster, address: string): Promise<string> {
  const client = `const c = require('net').connect(${PORT}, '${address}'); c.pipe(process.stdout); c.on('error', () => process.exit()); setTimeout(() => process.exit(), 2000).unref()`
  return await cluster('client', process.execPath, '-e', client)
}
