import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { FileError } from '../../machine/errors.ts'
import { canonical, hostBits } from '../../inet/address.ts'
import { whereIs } from '../address/interfaces.ts'
import { parseMembers, type Member } from './nodes.ts'
import { ownAddress } from './node-status.ts'
import { listIfReadable } from '../address/public-addresses.ts'

/** What an LVS group shares, from the options and the nodes file. */
export interface Lvs {
  /** The address that all clients use. */
  publicIp: string
  /** The interface of the leader's address; empty on a node that never leads. */
  iface: string
  file: string
  members: readonly Member[]
}

const INVALID = 'Invalid configuration: CTDB_LVS_PUBLIC_IP'

/** Undefined unless CTDB_LVS_NODES is set. Refuses options that cannot work, in CTDB's words where it has some. */
export async function lvsOptions(node: Node): Promise<Lvs | undefined> {
  const file = node.settings.text('CTDB_LVS_NODES')
  if (file === '') return undefined
  const text = await readNodes(node, file)
  const publicIp = lvsAddress(node)
  const { members, problems } = parseMembers(text, file, publicIp)
  if (problems.length > 0) refuse(problems.join('\n'))
  const lvs = { publicIp, iface: node.settings.text('CTDB_LVS_PUBLIC_IFACE'), file, members }
  if (lvs.iface === '' && (await mayLead(node, lvs)))
    refuse('Invalid configuration: CTDB_LVS_PUBLIC_IFACE not set')
  return lvs
}

async function readNodes(node: Node, file: string): Promise<string> {
  const unreadable = `error: CTDB_LVS_NODES=${file} unreadable`
  try {
    return (await node.read(file)) ?? refuse(`${unreadable}: there is no such file`)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return refuse(`${unreadable}: ${error.message}`)
  }
}

/** The LVS address alone, which a node needs at its start and end, whatever else is wrong. */
export function lvsAddress(node: Node): string {
  const text = node.settings.text('CTDB_LVS_PUBLIC_IP')
  if (text === '') refuse(`${INVALID} not set`)
  const address = canonical(text)
  if (!address) refuse(`${INVALID}="${text}" is no IP address: expected one, without a mask`)
  if (NOT_FOR_CLIENTS.test(address)) refuse(`${INVALID}="${text}" is none that clients can use: expected one`)
  return address
}

/** Unspecified, loopback, multicast and link-local addresses, in canonical spelling. */
const NOT_FOR_CLIENTS = /^(?:0\.|127\.|2(?:2[4-9]|[345]\d)\.|169\.254\.|::1?$|ff|fe[89ab])/

/** May this node become the leader? Not when the file does not name it; yes when its own address is unknown. */
export async function mayLead(node: Node, { members }: Lvs): Promise<boolean> {
  const own = await ownAddress(node)
  if (own === undefined) return true
  return members.some(({ address, followerOnly }) => address === own && !followerOnly)
}

/**
 * Refuse a public address, which cannot be on every node as well, and an address of this node's own. A list that cannot be
 * read refuses nothing: 10.interface reports it.
 */
export async function mustBeFree(node: Node, { publicIp }: Lvs): Promise<void> {
  const listed = await listIfReadable(node)
  if (listed?.entries.some(({ address }) => address === publicIp))
    refuse(`ERROR: CTDB_LVS_PUBLIC_IP same as a public address: ${publicIp}: take it out of public_addresses`)
  const own = (await whereIs(node, publicIp)).find(({ bits }) => bits !== hostBits(publicIp))
  if (own)
    refuse(
      `ERROR: CTDB_LVS_PUBLIC_IP is this node's own address: ${publicIp}/${own.bits} is on ${own.iface}: expected one that LVS alone puts there: mend script.options`,
    )
}
