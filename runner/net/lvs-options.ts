import type { Node } from '../handler.ts'
import { refuse } from '../refusal.ts'
import { FileError } from '../system/errors.ts'
import { canonical } from './address.ts'
import { parseMembers, type Member } from './lvs-nodes.ts'
import { ownAddress } from './lvs-status.ts'
import { readPublicAddresses } from './public-addresses.ts'

/** What an LVS group has in common, as the options and the nodes file say. */
export interface Lvs {
  /** The address that all clients use. */
  publicIp: string
  /** By which the leader is reached; empty on a node that never leads. */
  iface: string
  file: string
  members: readonly Member[]
}

const INVALID = 'Invalid configuration: CTDB_LVS_PUBLIC_IP'

/** Off unless CTDB_LVS_NODES is set. Refuses, in CTDB's words where it has some, what cannot be acted upon. */
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

/** The LVS address alone: what a node that starts or stops must know, whatever else is wrong. */
export function lvsAddress(node: Node): string {
  const text = node.settings.text('CTDB_LVS_PUBLIC_IP')
  if (text === '') refuse(`${INVALID} not set`)
  return canonical(text) ?? refuse(`${INVALID}="${text}" is no IP address: expected one, without a mask`)
}

/** May this node become the leader? One that the file does not name may not; one that does not know itself might. */
export async function mayLead(node: Node, { members }: Lvs): Promise<boolean> {
  const own = await ownAddress(node)
  if (own === undefined) return true
  return members.some(({ address, followerOnly }) => address === own && !followerOnly)
}

/** An address that ctdbd moves cannot be on every node as well. */
export async function mustNotBePublic(node: Node, { publicIp }: Lvs): Promise<void> {
  const listed = await readPublicAddresses(node)
  if (listed?.entries.some(({ address }) => address === publicIp))
    refuse(`ERROR: CTDB_LVS_PUBLIC_IP same as a public address: ${publicIp}: take it out of public_addresses`)
}
