/**
 * Policy routing on a real cluster: each public address has its rule and its routes on the node that has it, and nowhere
 * else, whatever moves. With CTDB's own script an IPv6 address makes `ipreallocated` fail, and nodes are banned for it.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../tap.ts'
import { DIST } from '../lab/paths.ts'
import {
  clusterIn,
  eventually,
  hasShare,
  held,
  OUR_DAEMON,
  OUR_SCRIPT,
  troubleIn,
  whyNoCluster,
  type Cluster,
} from '../lab/ctdb/nodes.ts'

const ADDRESSES = 6
const NODES = ['0', '1', '2']
const DIR = '/tmp/eventscript-routed'
const FILES = '/tmp/eventscript-routed-files'

/** The client of the lab is their gateway. */
const FAMILIES = {
  '4': {
    address: (k: number) => `10.9.1.${k + 1}`,
    net: '10.9.0.0/16',
    all: '0.0.0.0/0',
    gateway: '10.9.0.201',
  },
  '6': { address: (k: number) => `fd02::1:${k}`, net: 'fd02::/64', all: '::/0', gateway: 'fd02::c1' },
} as const
type Family = keyof typeof FAMILIES

/** The addresses that a node has rules for. */
async function ruled(cluster: Cluster, node: string, family: Family): Promise<string[]> {
  const rules = JSON.parse(await cluster('exec', node, 'ip', `-${family}`, '-json', 'rule', 'show')) as {
    priority: number
    src: string
  }[]
  return rules.flatMap(({ priority, src }) => (priority === 100 ? [src] : [])).toSorted()
}

/** Does every node have rules for what it holds, each with its routes, and do they hold all there is? */
async function isRouted(cluster: Cluster, family: Family): Promise<boolean> {
  let count = 0
  for (const node of NODES) {
    const own = await held(cluster, node)
    if (own.join() !== (await ruled(cluster, node, family)).join()) return false
    for (const address of own) {
      const table = ['route', 'show', 'table', `ctdb.${address}`]
      const routes = (await cluster('exec', node, 'ip', `-${family}`, ...table)).trim().split('\n')
      if (routes.length !== 2 || !routes.some((each) => each.startsWith('default via '))) return false
    }
    count += own.length
  }
  return count === ADDRESSES
}

const why = whyNoCluster()
if (why) t.plan(0, why)
else
  for (const [who, more] of [
    ["our scripts in CTDB's event daemon", OUR_SCRIPT],
    ['our event daemon', OUR_DAEMON],
  ] as const)
    for (const family of ['6', '4'] as const)
      t.test(
        `IPv${family}, ${who}: rules and routes go with the addresses, and nobody is banned`,
        async (t) => {
          const { address, net, all, gateway } = FAMILIES[family]
          mkdirSync(FILES, { recursive: true })
          const conf = join(FILES, 'policy_routing')
          const some = Array.from({ length: ADDRESSES }, (_, i) => address(i + 1))
          writeFileSync(conf, some.map((ip) => `${ip} ${net}\n${ip} ${all} ${gateway}\n`).join(''))
          const options = join(FILES, 'script.options')
          writeFileSync(
            options,
            `CTDB_PER_IP_ROUTING_CONF=${conf}\nCTDB_PER_IP_ROUTING_RULE_PREF=100\nCTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000\nCTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1099\n`,
          )
          const scripts = `${more['SCRIPTS']} ${join(DIST, 'events.d/13.per_ip_routing.script')}`
          const cluster = clusterIn('esrt', DIR, { ...more, SCRIPTS: scripts, OPTIONS: options })
          t.teardown(async () => {
            await cluster('down')
            rmSync(FILES, { recursive: true, force: true })
          })
          await cluster('up', '3', String(ADDRESSES), family)
          t.ok(await hasShare(cluster, '2', 2), 'each node has its share')
          t.ok(await eventually(() => isRouted(cluster, family)), 'each address is routed where it is')

          await cluster('failover', '2')
          t.same(await held(cluster, '2'), [])
          t.ok(
            await eventually(() => isRouted(cluster, family)),
            'and where it has gone, when a node is disabled',
          )
          await cluster('ctdb', '2', 'enable')
          t.ok(await hasShare(cluster, '2', 2), 'the node has its share again')
          t.ok(await eventually(() => isRouted(cluster, family)), 'and its rules')

          // of IPv6 the kernel drops the addresses; ipreallocated runs while they are missing
          await cluster('exec', '1', 'ip', 'link', 'set', 'eth0', 'down')
          await cluster('ctdb', '0', 'ipreallocate')
          await cluster('exec', '1', 'ip', 'link', 'set', 'eth0', 'up')
          await cluster('ctdb', '0', 'ipreallocate')
          t.ok(await eventually(() => isRouted(cluster, family), 60), 'an interface was down: all is back')

          // a route that somebody has taken away, a rule that a crash has left
          const [one = ''] = await held(cluster, '0')
          await cluster('exec', '0', 'ip', `-${family}`, 'route', 'flush', 'table', `ctdb.${one}`)
          await cluster(
            'exec',
            '0',
            'ip',
            `-${family}`,
            'rule',
            'add',
            'from',
            address(99),
            'pref',
            '100',
            'table',
            '1098',
            'protocol',
            '137',
          )
          await cluster('ctdb', '0', 'ipreallocate')
          t.ok(await eventually(() => isRouted(cluster, family)), 'ipreallocate repairs the routes')
          t.same(troubleIn(DIR, NODES.length), { timeouts: 0, bans: 0 })
        },
      )
