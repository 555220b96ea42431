/** What happens to node 0 of a group of three that share an LVS address. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Stage } from './stage.ts'
import { LVS_FAMILIES, type GroupNode, type LvsFamily, type LvsGroup } from '../../kernel/lvs/lvs-group.ts'

export interface LvsScenario {
  /** `<event>.<what happens>`, with `v6-` for the twin of an IPv4 one. */
  name: string
  event: string
  family: LvsFamily
  /** The words after each node's address in the nodes file. */
  members?: string[]
  prepare?: (group: LvsGroup, node: GroupNode) => Promise<unknown> | void
}

const [v4, v6] = LVS_FAMILIES

function both(name: string, rest: Pick<LvsScenario, 'members' | 'prepare'> = {}): LvsScenario[] {
  const [event = '', what = ''] = name.split('.')
  return [
    { name, event, family: v4, ...rest },
    { name: `${event}.v6-${what}`, event, family: v6, ...rest },
  ]
}

function one(name: string, rest: Pick<LvsScenario, 'members' | 'prepare'> = {}): LvsScenario {
  return { name, event: name.replace(/\..*/, ''), family: v4, ...rest }
}

const started = (_: LvsGroup, node: GroupNode) => node.lvs('startup')

async function leading(_: LvsGroup, node: GroupNode): Promise<void> {
  await node.lvs('startup')
  await node.lvs('ipreallocated')
}

/** Another line, or none, for an option. */
function option(name: string, value?: string) {
  return (_: LvsGroup, { dir }: GroupNode) => {
    const file = join(dir, 'etc/script.options')
    const kept = readFileSync(file, 'utf8').replace(new RegExp(`^${name}=.*\n`, 'm'), '')
    writeFileSync(file, value === undefined ? kept : `${kept}${name}=${value}\n`)
  }
}

const nodesFile = (text: string) => (group: LvsGroup) => writeFileSync(join(group.lab.dir, 'lvs_nodes'), text)

/** The address of the options is one that the node has of its own. */
const ownAddress = (_: LvsGroup, { host }: GroupNode) =>
  host.must('ip', 'addr', 'add', '10.0.0.100/24', 'dev', 'eth0')

/** Another node has the address of IPv6, and does not let go. */
function besideAnother(then: (group: LvsGroup, node: GroupNode) => Promise<unknown>) {
  return async (group: LvsGroup, node: GroupNode) => {
    const [, other] = group.nodes
    // its MAC is in the message
    await other?.host.must('ip', 'link', 'set', 'dev', 'eth0', 'address', '02:00:00:00:00:1b')
    await other?.host.must('ip', 'addr', 'add', 'fd00::100/128', 'dev', 'eth0', 'nodad')
    await then(group, node)
  }
}

const withoutIpvsadm = (group: LvsGroup) => new Stage(group.lab).without('ipvsadm')

/** `ip addr add` fails: the first time, or always. */
function addFails({ lab }: LvsGroup, how: 'once' | 'always'): void {
  const fails = 'echo "RTNETLINK answers: Cannot allocate memory" >&2; (exit 2)'
  const once = `if mkdir ${lab.dir}/failed 2>/dev/null; then ${fails}; else @ "$@"; fi`
  new Stage(lab).meddle('ip', '"addr add"*', { instead: how === 'once' ? once : fails })
}

/** Node 1 leads, and this node has been told. */
async function following(group: LvsGroup, node: GroupNode): Promise<void> {
  await node.lvs('startup')
  group.health('disabled', 'ok', 'ok')
  await node.lvs('ipreallocated')
}

const withoutAddress = async (group: LvsGroup, node: GroupNode) => {
  await following(group, node)
  await node.host.must(
    'ip',
    'addr',
    'del',
    `${group.family.ip}/${group.family === v4 ? 32 : 128}`,
    'dev',
    'lo',
  )
}

export const lvsScenarios: readonly LvsScenario[] = [
  ...both('init.still-leading', { prepare: leading }),
  one('init.nothing-left'),
  one('setup.all-well'),
  one('setup.off', { prepare: option('CTDB_LVS_NODES') }),
  one('setup.nodes-file-missing', { prepare: option('CTDB_LVS_NODES', '/etc/ctdb/nosuch') }),
  one('setup.nodes-file-broken', {
    prepare: nodesFile('10.0.0.10\nnode-b\n10.0.0.12 leader\nfd00::13\n'),
  }),
  one('setup.no-address', { prepare: option('CTDB_LVS_PUBLIC_IP') }),
  one('setup.address-with-mask', { prepare: option('CTDB_LVS_PUBLIC_IP', '10.0.0.100/24') }),
  one('setup.other-family', { prepare: option('CTDB_LVS_PUBLIC_IP', 'fd00::100') }),
  one('setup.no-interface', { prepare: option('CTDB_LVS_PUBLIC_IFACE') }),
  one('setup.no-interface-follower-only', {
    members: ['follower-only', '', ''],
    prepare: option('CTDB_LVS_PUBLIC_IFACE'),
  }),
  one('setup.same-as-a-public-address', {
    prepare: (_, { dir }) => writeFileSync(join(dir, 'etc/public_addresses'), '10.0.0.100/24 eth0\n'),
  }),
  one('setup.own-address', { prepare: ownAddress }),
  one('setup.loopback', { prepare: option('CTDB_LVS_PUBLIC_IP', '127.0.0.1') }),
  one('init.own-address', { prepare: ownAddress }),
  ...both('startup.follower'),
  one('startup.ipvsadm-missing', { prepare: withoutIpvsadm }),
  one('startup.not-in-the-nodes-file', { prepare: nodesFile('10.0.0.11\n10.0.0.12\n') }),
  ...both('ipreallocated.leads', { prepare: started }),
  ...both('ipreallocated.leads-as-before', { prepare: leading }),
  ...both('ipreallocated.another-leads', {
    async prepare(group, node) {
      const [, other] = group.nodes
      await other?.host.must('ip', 'link', 'set', 'dev', 'eth0', 'address', '02:00:00:00:00:1b')
      await other?.lvs('startup')
      await leading(group, node)
      group.health('unhealthy', 'ok', 'ok')
      // the old leader has let go by then
      setTimeout(() => void other?.lvs('ipreallocated'), 4000)
    },
  }),
  one('ipreallocated.new-leader-not-seen', {
    async prepare(group, node) {
      await leading(group, node)
      group.health('unhealthy', 'ok', 'ok')
    },
  }),
  ...both('ipreallocated.a-server-is-gone', {
    async prepare(group, node) {
      await leading(group, node)
      group.health('ok', 'ok', 'stopped')
    },
  }),
  one('ipreallocated.follower-only', { members: ['follower-only', '', ''], prepare: started }),
  one('ipreallocated.ctdb-not-answering', {
    async prepare(group, node) {
      await leading(group, node)
      group.silence(node)
    },
  }),
  one('ipreallocated.nobody-usable', {
    async prepare(group, node) {
      await leading(group, node)
      group.health('disabled', 'stopped', 'disconnected')
    },
  }),
  one('ipreallocated.another-address', {
    async prepare(group, node) {
      await leading(group, node)
      option('CTDB_LVS_PUBLIC_IP', '10.0.0.101')(group, node)
    },
  }),
  one('ipreallocated.ipvsadm-missing', {
    async prepare(group, node) {
      await started(group, node)
      withoutIpvsadm(group)
    },
  }),
  {
    name: 'ipreallocated.v6-old-leader-stays',
    event: 'ipreallocated',
    family: v6,
    prepare: besideAnother(started),
  },
  ...both('ipreallocated.leads-first-add-fails', {
    async prepare(group, node) {
      await started(group, node)
      addFails(group, 'once')
    },
  }),
  one('ipreallocated.leads-every-add-fails', {
    async prepare(group, node) {
      await started(group, node)
      addFails(group, 'always')
    },
  }),
  one('ipreallocated.another-leads-add-fails', {
    async prepare(group, node) {
      await leading(group, node)
      group.health('unhealthy', 'ok', 'ok')
      addFails(group, 'always')
    },
  }),
  ...both('monitor.leads', { prepare: leading }),
  ...both('monitor.follows', { prepare: following }),
  ...both('monitor.follows-without-the-address', { prepare: withoutAddress }),
  one('monitor.follows-add-fails', {
    async prepare(group, node) {
      await withoutAddress(group, node)
      addFails(group, 'always')
    },
  }),
  {
    name: 'monitor.v6-old-leader-stays',
    event: 'monitor',
    family: v6,
    prepare: besideAnother(leading),
  },
  {
    name: 'monitor.v6-old-leader-has-gone',
    event: 'monitor',
    family: v6,
    async prepare(group, node) {
      await besideAnother(leading)(group, node)
      await group.nodes[1]?.host.must('ip', 'addr', 'del', 'fd00::100/128', 'dev', 'eth0')
    },
  },
  one('monitor.no-link', {
    async prepare(group, node) {
      await leading(group, node)
      await group.lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
    },
  }),
  one('monitor.own-address', { prepare: ownAddress }),
  one('monitor.ipvsadm-missing', { prepare: withoutIpvsadm }),
  one('monitor.off', { prepare: option('CTDB_LVS_NODES') }),
  ...both('shutdown.leads', { prepare: leading }),
  one('shutdown.nodes-file-missing', {
    async prepare(group, node) {
      await leading(group, node)
      option('CTDB_LVS_NODES', '/etc/ctdb/nosuch')(group, node)
    },
  }),
]
