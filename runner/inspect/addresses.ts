import type { Node } from '../node/node.ts'
import { believedAddresses, numberHere, orReason, type BelievedAddress } from '../net/ctdb/daemon-view.ts'
import { refusalOr } from '../base/refusal.ts'
import { isNamed, type Held } from '../net/ip-json.ts'
import { interfaces } from '../net/address/interfaces.ts'
import { isParkingPlace, parkedHere } from '../net/dad/parked.ts'
import type { PublicAddress } from '../net/address/public-addresses.ts'
import { listedAsFarAsKnown } from './listed.ts'
import type { Column } from '../format/table.ts'
import { where } from '../net/address/placement.ts'

/** One public address from three sides: the list, the daemon's view, the kernel. */
export interface AddressRow {
  address: string
  /** The daemon's view; undefined when the daemon does not know the address, or does not answer. */
  believed?: BelievedAddress
  /** The line of public_addresses that names the address. */
  listed?: PublicAddress
  /** Where this node's kernel has the address. */
  held: readonly Held[]
  parked: boolean
  /** While the address is parked here: the MAC of the host that has it, and the interface where it belongs. */
  rival?: string
  belongs?: readonly string[]
  /** The device whose port its interface is, as `bridge br0`. Only where somebody has looked: hidden-trouble.ts. */
  port?: string
  /** Routes that the kernel removes with the address, whose source it is. Only where somebody has looked. */
  routes?: readonly string[]
  state: AddressState
}

/** States in which the kernel and the daemon disagree. */
const MISPLACED = ['duplicate', 'double', 'stray', 'missing', 'wrong-interface', 'wrong-netmask'] as const
export type Misplaced = (typeof MISPLACED)[number]

export function isMisplaced(state: AddressState): state is Misplaced {
  return (MISPLACED as readonly AddressState[]).includes(state)
}

/** From worst to best: an address has the first state that applies. */
export type AddressState =
  | Misplaced
  | 'parked'
  | 'tentative'
  | 'unassigned'
  | 'unloaded'
  | 'unlisted'
  | 'unknown'
  | 'here'
  | 'elsewhere'

export const ADDRESS_COLUMNS: readonly Column<AddressRow>[] = [
  { name: 'Public IP', field: 'address', value: ({ address }) => address },
  { name: 'Node', field: 'node', value: ({ believed }) => believed?.node },
  { name: 'ActiveInterfaces', field: 'active', value: ({ believed }) => believed?.active, quiet: true },
  {
    name: 'AvailableInterfaces',
    field: 'available',
    value: ({ believed }) => believed?.available,
    quiet: true,
  },
  {
    name: 'ConfiguredInterfaces',
    field: 'configured',
    value: ({ believed }) => believed?.configured,
    quiet: true,
  },
  { name: 'ListedBits', field: 'listedBits', value: ({ listed }) => listed?.bits, quiet: true },
  { name: 'ListedInterfaces', field: 'listedInterfaces', value: ({ listed }) => listed?.ifaces },
  { name: 'Kernel', field: 'kernel', value: ({ held }) => held.map((each) => where([each])) },
  { name: 'Parked', field: 'parked', value: ({ parked }) => parked, quiet: true },
  { name: 'State', field: 'state', value: ({ state }) => state, paint: ({ state }) => COLOUR[state] },
]

const COLOUR: Partial<Record<AddressState, 'good' | 'bad' | 'warn'>> = {
  ...Object.fromEntries(MISPLACED.map((state) => [state, 'bad' as const])),
  unassigned: 'bad',
  parked: 'warn',
  tentative: 'warn',
  unloaded: 'warn',
  unlisted: 'warn',
  unknown: 'warn',
  here: 'good',
}

export interface AddressesSeen {
  rows: AddressRow[]
  /** This node's number; undefined when the daemon's view is missing. */
  own?: number
  /** Lines of public_addresses that cannot be read, and files. */
  problems: string[]
  /** Why public_addresses, or the list of what is parked, cannot be read; `problems` has it, too. */
  unread?: string
  /** Why the daemon's view is missing. */
  silent?: string
}

/**
 * Every public address that the daemon knows, in the daemon's order, then those that only public_addresses names. Without
 * an answer from the daemon the listed addresses have the state `unknown`. `all` asks every node about its own addresses.
 */
export async function addressRows(node: Node, all = false): Promise<AddressesSeen> {
  const listed = await listedAsFarAsKnown(node)
  const own = await orReason(numberHere(node))
  const believed = typeof own === 'string' ? own : await orReason(believedAddresses(node, all))
  // the kernel comes last: of the three it is the one that changes meanwhile
  const held = (await interfaces(node)).flatMap(({ addresses }) => addresses)
  const kept = await refusalOr(() => parkedHere(node))
  const parked = typeof kept === 'string' ? [] : kept
  const known = typeof believed === 'string' ? [] : believed
  const names = new Set([
    ...known.map(({ address }) => address),
    ...listed.entries.map(({ address }) => address),
    ...listed.taken,
  ])
  const rows = [...names].map((address) => {
    const places = held.filter((each) => each.address === address)
    const entry = parked.find((each) => each.address === address)
    const row = {
      address,
      believed: known.find((each) => each.address === address),
      listed: listed.entries.find((each) => each.address === address),
      held: places,
      // without the list the place says so
      parked: entry !== undefined || (typeof kept === 'string' && places.some(isParkingPlace)),
      ...(entry ? { rival: entry.rival, belongs: [entry.iface] } : {}),
    }
    return {
      ...row,
      state: typeof believed === 'string' ? ('unknown' as const) : addressState(row, Number(own)),
    }
  })
  const unseen = [listed.unread, ...(typeof kept === 'string' ? [kept] : [])].find((why) => why !== undefined)
  const problems = typeof kept === 'string' ? [...listed.problems, kept] : listed.problems
  const seen = { rows, problems, ...(unseen !== undefined && { unread: unseen }) }
  return typeof believed === 'string' ? { ...seen, silent: believed } : { ...seen, own: Number(own) }
}

/** The places where the network can hear the address: a parked address is on `lo` on purpose. */
export function onWire({ parked, held }: Pick<AddressRow, 'parked' | 'held'>): readonly Held[] {
  return parked ? held.filter(({ iface }) => iface !== 'lo') : held
}

/** The state of an address on node number `own`. Pure. */
export function addressState(
  { believed, listed, held, parked }: Omit<AddressRow, 'state'>,
  own: number,
): AddressState {
  const wired = onWire({ parked, held })
  // a parked address that is tried is on its interface as well, until its duplicate check has ended well
  if (parked && wired.every((place) => place.state !== 'ready')) return 'parked'
  if (wired.some(({ state }) => state === 'duplicate')) return 'duplicate'
  if (wired.length > 1) return 'double'
  if (believed?.node !== own && wired.length > 0) return 'stray'
  const [place] = wired
  if (believed?.node === own) {
    if (!place) return 'missing'
    const ifaces = believed.active.length > 0 ? believed.active : (listed?.ifaces ?? [])
    if (ifaces.length > 0 && !ifaces.some((name) => isNamed(place, name))) return 'wrong-interface'
    if (listed && listed.bits !== place.bits) return 'wrong-netmask'
    if (place.state === 'tentative') return 'tentative'
  }
  if (!believed) return 'unloaded'
  if (believed.node < 0) return 'unassigned'
  if (!listed) return 'unlisted'
  return place ? 'here' : 'elsewhere'
}
