/** The host that has an address that should be ours: a line of evidence for the admin who has to find that host. */
import type { Node } from '../../node/node.ts'
import { Refusal, refusalOr } from '../../base/refusal.ts'
import { canonical, familyOf } from '../../inet/address.ts'
import { ownNumber, table } from '../ctdb/tool.ts'
import { rows } from '../ip-json.ts'
import { nodesList } from '../ctdb/nodes-list.ts'
import { parseNodes } from '../ctdb/nodes-file.ts'
import { QUESTION_MS, byArp, byPackets, macIn, ownLink, type Contested } from './wire.ts'

/** The kernel asks three times, a second apart, and only once it has an address of its own to ask from. */
const LOOKS = 4
/** Questions for a host that is to come. */
const PATIENT = 6
/** Seconds for the command that prints the list of nodes: the event waits for it. */
const LIST_S = 3

/**
 * The MAC that answers for the address on that interface (`known`, if it has been heard already), and its host, as far
 * as can be found out: `52:54:00:12:34:56 on eth0, which is node 2 (fd01::3)`. Never fails: the reason stands in place of
 * whatever cannot be found out.
 */
export async function whoHas(node: Node, contested: Contested, known?: string): Promise<string> {
  const { address, iface } = contested
  try {
    const mac = known ?? (await macOf(node, contested))
    if (mac === undefined) return `nobody answers for it on ${iface} when asked again`
    // a MAC that was heard before is none of ours
    const own = known === undefined ? await ownLink(node, mac) : undefined
    const whose = own
      ? `this node's own ${own.name}: is it on the same network as ${iface}?`
      : await whoIs(node, mac, address)
    return `${mac} on ${iface}, which is ${whose}`
  } catch (error) {
    if (error instanceof Refusal) return `who it is cannot be asked: ${error.message}`
    throw error
  }
}

/**
 * The MAC that answers for the address by now, for a caller that waits for a host to come: 2 s for IPv4, 3 s for IPv6, when
 * nobody answers. Throws a Refusal when nobody can be asked.
 */
export async function macWhenItComes(node: Node, contested: Contested): Promise<string | undefined> {
  return await macOf(node, contested, PATIENT)
}

/** `questions`: for an IPv6 address. */
async function macOf(node: Node, contested: Contested, questions = 2): Promise<string | undefined> {
  const isIpv4 = familyOf(contested.address) === 'inet'
  const reply = isIpv4 ? await byArp(node, contested) : await byPackets(node, contested, questions)
  if (typeof reply === 'object') return reply.mac
  return reply === 'unasked' ? await macByDiscovery(node, contested, questions) : undefined
}

/** `ndisc6` asks and prints the MAC. Without that program the kernel asks, and its neighbour table has the answer. */
async function macByDiscovery(
  node: Node,
  contested: Contested,
  questions: number,
): Promise<string | undefined> {
  const { address, iface } = contested
  if (await node.find('ndisc6')) {
    const heard = await macByNdisc6(node, contested, questions)
    if (heard !== undefined || questions === PATIENT) return heard
  }
  // an entry from before is no evidence
  await node.change`ip neigh del ${address} dev ${iface}`
  await node.change`ip neigh replace ${address} dev ${iface} use`
  for (let look = 0; look < LOOKS; look += 1) {
    await node.wait(QUESTION_MS)
    const { out } = await node.ask`ip -json neigh show to ${address} dev ${iface}`
    const mac = macIn(out)
    if (mac) return mac
  }
  return undefined
}

async function macByNdisc6(
  node: Node,
  { address, iface }: Contested,
  questions: number,
): Promise<string | undefined> {
  const { out } = await node.ask`ndisc6 -1 -q -r ${questions} -w ${QUESTION_MS} ${address} ${iface}`
  return macIn(out)
}

/** A node of the cluster, or a neighbour that has another address too. */
async function whoIs(node: Node, mac: string, address: string): Promise<string> {
  const others = (await neighboursWith(node, mac)).filter((other) => other !== address)
  if (others.length === 0) return 'no neighbour that is known by another address'
  const cluster = await clusterNode(node, others)
  return cluster ?? `the neighbour ${others.join(', ')}`
}

async function neighboursWith(node: Node, mac: string): Promise<string[]> {
  const { status, out } = await node.ask`ip -json neigh show`
  if (status !== 0) return []
  return rows(out, 'neighbours')
    .filter((row) => row['lladdr'] === mac)
    .flatMap((row) => canonical(String(row['dst'])) ?? [])
}

/** By the list of nodes, or by another public address that the daemon gives to a node. */
async function clusterNode(node: Node, addresses: readonly string[]): Promise<string | undefined> {
  const { text = '', problem } = await nodesList(node, node.settings, LIST_S)
  if (problem !== undefined) node.because(`the list of nodes: ${problem}`)
  const member = parseNodes(text).find(
    (each) => each.address !== undefined && addresses.includes(each.address),
  )
  if (member) return `node ${member.node} (${member.address})`
  const hosted = await hostsOf(node, addresses)
  if (hosted.length === 0) return undefined
  const own = await refusalOr(async () => Number(await ownNumber(node)))
  // without our number each of these nodes may be this one
  if (typeof own === 'string') return undefined
  const other = hosted.find((each) => each.host !== own)
  if (other) return `node ${other.host} (it has ${other.address})`
  return `a host that has ${hosted.map(({ address }) => address).join(', ')} too, now this node's: perhaps a node that died and kept its addresses`
}

/** Those of the addresses that some node hosts, as the daemon says. */
async function hostsOf(
  node: Node,
  addresses: readonly string[],
): Promise<{ address: string; host: number }[]> {
  const hosted = await table(node, ['ip'], ['Public IP', 'Node'])
  if (typeof hosted === 'string') return []
  return hosted.flatMap((row) => {
    const address = canonical(row['Public IP'] ?? '')
    const host = Number(row['Node'])
    return address !== undefined && addresses.includes(address) && host >= 0 ? [{ address, host }] : []
  })
}
