import type { Node } from '../../node/node.ts'
import { packageOf } from '../../machine/remedy/remedy.ts'
import { canonical } from '../../inet/address.ts'
import { why } from '../answer.ts'

export interface Endpoint {
  /** Canonical; an IPv4 connection of a dual-stack server is IPv4. */
  address: string
  port: number
}

export interface Connection {
  local: Endpoint
  peer: Endpoint
}

/**
 * Connections out of `ss -tnH state established`: Recv-Q, Send-Q, local and peer, with brackets around IPv6 and
 * `%IFACE` after an address that is bound to an interface.
 */
export function parseConnections(text: string): Connection[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ').filter(Boolean)
    const local = parseEndpoint(fields[2] ?? '')
    const peer = parseEndpoint(fields[3] ?? '')
    return local && peer ? [{ local, peer }] : []
  })
}

/** `10.0.0.1:445`, `[fd00::1]:445`, and `fd00::1:445` as ctdb writes it: the port follows the last colon. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const at = text.lastIndexOf(':')
  // a recording with --redact has brackets around IPv4, too
  const bare = text.slice(0, Math.max(at, 0)).replace(/%[^\]]*/, '')
  const address = canonical(bare.startsWith('[') && bare.endsWith(']') ? bare.slice(1, -1) : bare)
  const port = Number(text.slice(at + 1))
  return address && Number.isInteger(port) && at >= 0 ? { address, port } : undefined
}

/** The form that every tool takes: brackets around IPv6. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Established connections of these addresses, in one question; undefined, with a WARNING, when `ss` cannot list them. */
export async function connectionsOf(
  node: Node,
  addresses: readonly string[],
  assume?: (out: string) => string,
): Promise<Connection[] | undefined> {
  if (addresses.length === 0) return []
  if (!(await node.find('ss'))) {
    node.say(`WARNING: ss not found: connections are neither ended nor reported: ${packageOf('ss')}`)
    return undefined
  }
  const sources = addresses.flatMap((address, i) => [...(i > 0 ? ['or'] : []), 'src', `[${address}]`])
  const filter = addresses.length > 1 ? ['(', ...sources, ')'] : sources
  const batch = addresses.length === 1 ? 'ss' : undefined
  const answer = await node.ask({ assume, batch })`ss -tnH state established ${filter}`
  if (answer.status === 0) return parseConnections(answer.out)
  node.say(`WARNING: ss cannot list the connections: ${why(answer)}`)
  return undefined
}

/** On these ports Samba ends its own side when CTDB tells it to; only the client must be told. */
const ONE_WAY_PORTS = new Set([139, 445])

/** Are both ends of this connection to be told, or only the client? */
type BothWays = (connection: Connection) => boolean

const samba: BothWays = ({ local }) => !ONE_WAY_PORTS.has(local.port)

/** The input of ctdb_killtcp and `ctdb tickle`: from and to, a pair a line. */
export function pairs(connections: readonly Connection[], bothWays: BothWays): string {
  return connections
    .flatMap((each) => [
      `${endpointText(each.peer)} ${endpointText(each.local)}\n`,
      ...(bothWays(each) ? [`${endpointText(each.local)} ${endpointText(each.peer)}\n`] : []),
    ])
    .join('')
}

/**
 * End the TCP connections to an address that is about to leave, so that clients try again at once rather than wait
 * for a time-out. Says how many of how many were ended, in CTDB's words, and lists the rest. An address without connections
 * costs one look. A failure here never keeps the address from being released.
 */
export async function endConnections(
  node: Node,
  address: string,
  iface: string,
  bothWays: BothWays = samba,
): Promise<void> {
  // unset is `try`: `ss -K` takes milliseconds, ctdb_killtcp up to 5 s for each address
  const how = node.settings.option('CTDB_KILLTCP_USE_SS_KILL')
  let left = (await connectionsOf(node, [address])) ?? []
  node.because(`${left.length} TCP connections to ${address} are to be ended`)
  if (how !== 'no') left = await endWith(node, address, left, 'ss -K', () => killWithSs(node, address))
  if (how !== 'yes')
    left = await endWith(node, address, left, 'ctdb_killtcp', () => killWithCtdb(node, iface, left, bothWays))
  if (left.length === 0) return
  node.say(['Remaining connections:', ...left.map((each) => `  ${endsOf(each)}`)].join('\n'))
}

async function endWith(
  node: Node,
  address: string,
  before: Connection[],
  using: string,
  kill: () => Promise<boolean>,
): Promise<Connection[]> {
  if (before.length === 0 || !(await kill())) return before
  const now = await connectionsOf(node, [address], () => '')
  if (!now) return before
  // a client may have come back meanwhile, by another connection
  const known = new Set(before.map(endsOf))
  const left = now.filter((each) => known.has(endsOf(each)))
  const killed = before.length - left.length
  node.say(`Killed ${killed}/${before.length} TCP connections to released IP ${address}, using ${using}`)
  return left
}

function endsOf({ local, peer }: Connection): string {
  return `${endpointText(local)} ${endpointText(peer)}`
}

async function killWithSs(node: Node, address: string): Promise<boolean> {
  const killed = await node.change({ batch: 'ss' })`ss -K -tnH state established src [${address}]`
  if (killed.status !== 0) node.say(`WARNING: ss -K failed: ${why(killed)}`)
  return true
}

async function killWithCtdb(
  node: Node,
  iface: string,
  connections: readonly Connection[],
  bothWays: BothWays,
): Promise<boolean> {
  const program = `${node.settings.helpers}/ctdb_killtcp`
  if (!(await node.find(program))) return false
  const input = pairs(connections, bothWays)
  const killed = await node.change({ input })`${program} ${iface}`
  if (killed.status !== 0) node.say('Failed to kill TCP connections')
  return true
}

/**
 * Wake the clients of an address that has moved to another interface of this node: an acknowledgement that fits no
 * sequence number makes both ends answer with theirs.
 */
export async function tickleConnections(node: Node, address: string): Promise<void> {
  if (!(await node.find(node.settings.ctdb[0] ?? ''))) return
  const connections = (await connectionsOf(node, [address])) ?? []
  if (connections.length === 0) return
  const input = pairs(connections, () => true)
  for (const line of input.trimEnd().split('\n')) node.say(`Tickle TCP connection ${line}`)
  const sent = await node.change({ input })`${node.settings.ctdb} tickle`
  if (sent.status !== 0) node.say(`WARNING: ctdb tickle failed: ${why(sent)}`)
}
