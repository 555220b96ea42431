/**
 * 91.lvs where CTDB decides: three nodes in namespaces with CTDB's own daemon, and clients on their wire. Who leads and
 * who serves is what `ctdb lvs leader` and `ctdb lvs list` say, and each node's kernel must have it so. Needs IPVS:
 * `npm run test:kernel` boots a kernel that has it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { clientsOn, serveOn, type Clients } from '../kernel/lvs/lvs-group.ts'
import { programPath, whyNoBalancer } from '../lab/needs.ts'
import { DIST } from '../lab/paths.ts'
import { waitFor } from '../lab/wait-for.ts'
import { clusterIn, eventually, hostIn, troubleIn, whyNoCluster, type Cluster } from '../lab/ctdb/nodes.ts'

const NAME = 'eslv'
const NODES = [0, 1, 2]
/** The last node never leads. */
const OPTIONS = ['', '', ' follower-only']

const FAMILIES = [
  {
    family: '4',
    ip: '10.9.0.100',
    own: (n: number) => `10.9.0.${n + 1}`,
    client: (n: number) => `10.9.0.20${n}`,
    bits: '16',
    here: '127.0.0.1',
  },
  {
    family: '6',
    ip: 'fd02::100',
    own: (n: number) => `fd01::${n + 1}`,
    client: (n: number) => `fd02::20${n}`,
    bits: '64',
    here: '::1',
  },
] as const
type Family = (typeof FAMILIES)[number]

const why = whyNoCluster() ?? whyNoBalancer()

t.setTimeout(Number(process.env['LAB_SECONDS'] ?? 600) * 1000)
for (const of of FAMILIES)
  t.test(
    `IPv${of.family}: leader and servers are those that CTDB names, and clients are served throughout`,
    why ? { skip: why } : {},
    async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'eventscript-lvs-'))
      const file = (name: string, text: string) => {
        writeFileSync(join(dir, name), text)
        return join(dir, name)
      }
      const members = file('lvs_nodes', NODES.map((n) => `${of.own(n)}${OPTIONS[n]}\n`).join(''))
      const cluster = clusterIn(NAME, join(dir, 'cluster'), {
        SCRIPTS: `00.ctdb ${join(DIST, 'events.d/91.lvs.script')}`,
        PRIVATE: file('nodes', NODES.map((n) => `${of.own(n)}\n`).join('')),
        OPTIONS: file(
          'options',
          `CTDB_LVS_NODES=${members}\nCTDB_LVS_PUBLIC_IP=${of.ip}\nCTDB_LVS_PUBLIC_IFACE=eth0\n`,
        ),
      })
      // on a busy machine the tool gives up before the cluster has done it; what came of it is looked at
      const admin = (...words: string[]) => cluster('ctdb', ...words).catch(() => '')
      t.teardown(async () => {
        await cluster('down')
        rmSync(dir, { recursive: true, force: true })
      })
      await cluster('up', '3', '0', of.family)
      await asCtdbSays(t, cluster, of, ['wire 0 1 2', 'silent', 'silent'], 'the first leads, all serve')

      for (const n of NODES) await serveOn(hostIn(NAME, `${n}`), n, of.ip)
      await cluster('rogue', of.client(9))
      const clients = await clientsOn(hostIn(NAME, 'rogue'), 'eth0', of)
      t.strictSame(await servers(clients), ['0', '1', '2'], 'clients are spread over all nodes')

      await admin('1', 'disable', '-n', '0')
      await asCtdbSays(t, cluster, of, ['silent', 'wire 1 2', 'silent'], 'the leader is disabled')
      t.strictSame(await servers(clients), ['1', '2'])

      await admin('1', 'enable', '-n', '0')
      await asCtdbSays(t, cluster, of, ['wire 0 1 2', 'silent', 'silent'], 'it is back')
      await servers(clients)

      for (const n of ['0', '1']) await admin('1', 'disable', '-n', n)
      await asCtdbSays(t, cluster, of, ['silent', 'silent', 'silent'], 'nobody that may lead is usable')
      await admin('1', 'enable', '-n', '1')
      await admin('0', 'shutdown')
      await asCtdbSays(t, cluster, of, ['gone', 'wire 1 2', 'silent'], 'shutdown leaves nothing')
      await servers(clients)
      clients.stop()
      t.equal(troubleIn(join(dir, 'cluster'), NODES.length).bans, 0, 'nobody was banned')
    },
  )

/** Soon every node's kernel has what is expected, and that is what CTDB's own tool says. */
async function asCtdbSays(
  t: Test,
  cluster: Cluster,
  of: Family,
  expected: readonly string[],
  what: string,
): Promise<void> {
  let said: string[] = []
  let done: string[] = []
  await eventually(async () => {
    said = await byTool(cluster)
    done = await Promise.all(NODES.map((n) => inKernel(n, of)))
    return done.join() === expected.join()
  }, 300)
  t.strictSame(done, expected, what)
  const leader = expected.findIndex((each) => each.startsWith('wire'))
  const [, ...serving] = expected[leader]?.split(' ') ?? []
  t.equal(said[0], leader < 0 ? 'none' : `${leader}`, `${what}: ctdb lvs leader`)
  if (leader >= 0) t.strictSame(said.slice(1), serving, `${what}: ctdb lvs list`)
}

/** The leader's number, then those of the servers, by `ctdb lvs`; asked of node 1, which is there all the time. */
async function byTool(cluster: Cluster): Promise<string[]> {
  const leader = await cluster('ctdb', '1', 'lvs', 'leader').catch(() => 'none')
  const list = await cluster('ctdb', '1', 'lvs', 'list').catch(() => '')
  return [leader.split(/\s/)[0] ?? '', ...list.split('\n').map((line) => line.split(/\s/)[0] ?? '')]
}

/** `gone`, `silent`, or `wire` with the numbers of the nodes that clients are led to, when TCP and UDP agree. */
async function inKernel(n: number, { family, ip, own, here }: Family): Promise<string> {
  const host = hostIn(NAME, `${n}`)
  const rows = JSON.parse(await host.must('ip', '-json', 'addr', 'show', 'to', ip)) as {
    ifname?: string
    addr_info?: { local?: string; scope?: string; tentative?: boolean }[]
  }[]
  const places = rows.flatMap(({ ifname, addr_info = [] }) =>
    addr_info.filter(({ local }) => local === ip).map((info) => ({ ifname, ...info })),
  )
  const wire = places.some(({ ifname, scope, tentative }) =>
    family === '4' ? scope === 'global' : ifname === 'eth0' && !tentative,
  )
  const silent = places.length === 1 && places[0]?.ifname === 'lo'
  const rules = await host.must(programPath('ipvsadm') ?? 'ipvsadm', '-S', '-n')
  const numberOf = (address: string) => (address === here ? n : NODES.find((each) => own(each) === address))
  const [tcp, udp] = ['-t', '-u'].map((protocol) =>
    rules
      .split('\n')
      .filter((line) => line.startsWith(`-a ${protocol} `))
      .map((line) => String(numberOf(/ -r \[?([^\]\s]+?)\]?:0 /.exec(line)?.[1] ?? '')))
      .toSorted()
      .join(' '),
  )
  const state = wire ? 'wire' : silent ? 'silent' : places.length === 0 ? 'gone' : JSON.stringify(places)
  return [state, tcp === udp ? tcp : `TCP ${tcp}, UDP ${udp}`].join(' ').trim()
}

/** Who serves the six clients from now on, by TCP, when each has been answered again and by nobody who does not stay. */
async function servers(clients: Clients): Promise<string[]> {
  let since = clients.mark()
  await waitFor('six clients', () => clients.servers(since).size === 6, 120)
  since = clients.mark()
  await waitFor('six clients once more', () => clients.servers(since).size === 6, 120)
  return [...new Set(clients.servers(since).values())].toSorted()
}
