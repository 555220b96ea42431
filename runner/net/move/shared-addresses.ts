/**
 * The addresses that belong to the cluster and not to one node: the public ones, the NAT gateway's, and that of LVS. An
 * address that stays on a node without ctdbd is on two nodes as soon as another takes it.
 */
import { LVS_ADDRESS, NAT_GATEWAY, PUBLIC_ADDRESSES } from '../../node/handler-names.ts'
import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { canonical, hostBits } from '../../inet/address.ts'
import type { Held } from '../ip-json.ts'
import { lvsAddress } from '../lvs/options.ts'
import { releasableAddresses } from '../address/public-addresses.ts'

type IsMeant = (held: Held) => boolean

export interface SharedAddresses {
  /** The handler whose options name them, whoever's script has put them on this node. */
  handler: string
  /** The name of such an address in a message. */
  what: string
  /** Tells these addresses from the node's own; undefined when this cluster has none. */
  find: (node: Node) => Promise<IsMeant | undefined>
}

export const SHARED: readonly SharedAddresses[] = [
  { handler: PUBLIC_ADDRESSES, what: 'public address', find: publicOnes },
  { handler: NAT_GATEWAY, what: 'NAT gateway address', find: natGateway },
  { handler: LVS_ADDRESS, what: 'LVS address', find: lvs },
]

/** Also addresses of lines that are wrong otherwise. */
async function publicOnes(node: Node): Promise<IsMeant | undefined> {
  const listed = await releasableAddresses(node)
  return listed && (({ address }) => listed.addresses.has(address))
}

/** On any interface, with any prefix, and also without CTDB_NATGW_NODES: as CTDB's ctdb-crash-cleanup.sh (4.17) has it. */
function natGateway(node: Node): Promise<IsMeant | undefined> {
  const text = node.settings.text('CTDB_NATGW_PUBLIC_IP')
  if (text === '') return Promise.resolve(undefined)
  const wanted = canonical(text.replace(/\/\d+$/, ''))
  if (!wanted)
    refuse(
      `Invalid configuration: CTDB_NATGW_PUBLIC_IP="${text}" is no IP address: expected ADDRESS/BITS: mend script.options`,
    )
  return Promise.resolve(({ address }) => address === wanted)
}

/** With a host prefix, as only LVS adds it. With any other the address is the node's own, named in the options by mistake. */
function lvs(node: Node): Promise<IsMeant | undefined> {
  if (node.settings.text('CTDB_LVS_NODES') === '') return Promise.resolve(undefined)
  const wanted = lvsAddress(node)
  return Promise.resolve(({ address, bits }) => address === wanted && bits === hostBits(wanted))
}
