import type { Door } from '../../machine/machine.ts'
import { hexDigits } from '../../inet/address.ts'
import { memoizeLast } from '../../base/memoize.ts'
import { readNumber } from '../sysctl/sysctl.ts'

/** The state of an IPv6 address in its duplicate check; an `optimistic` address can be bound while it is checked. */
export type DadState = 'absent' | 'tentative' | 'optimistic' | 'duplicate' | 'ready'

/** include/uapi/linux/if_addr.h */
const IFA_F_OPTIMISTIC = 0x04
const IFA_F_DADFAILED = 0x08
const IFA_F_TENTATIVE = 0x40

const TABLE = '/proc/net/if_inet6'

/**
 * The state of an address out of `/proc/net/if_inet6`: address, interface index, prefix length, scope and flags
 * in hexadecimal, then the interface. Reading the file starts no program, so it can be read often.
 */
export function dadState(table: string, address: string, iface: string): DadState {
  const flags = flagsIn(table).get(`${hexDigits(address)} ${iface}`)
  if (flags === undefined) return 'absent'
  // a failed check leaves both flags; the failure counts, and is final
  if (flags & IFA_F_DADFAILED) return 'duplicate'
  if (flags & IFA_F_TENTATIVE) return flags & IFA_F_OPTIMISTIC ? 'optimistic' : 'tentative'
  return 'ready'
}

/**
 * The longest that the kernel's duplicate check can take on this interface, in milliseconds: a random wait of up
 * to router_solicitation_delay, then one interval for each probe; 3 s on top for a busy machine. With the
 * kernel's defaults that is 5 s, CTDB's own limit.
 */
export async function duplicateCheck(door: Door, iface: string): Promise<number> {
  const probes = (await readNumber(door, `/proc/sys/net/ipv6/conf/${iface}/dad_transmits`)) ?? 1
  const delay = (await readNumber(door, `/proc/sys/net/ipv6/conf/${iface}/router_solicitation_delay`)) ?? 1
  const interval = (await readNumber(door, `/proc/sys/net/ipv6/neigh/${iface}/retrans_time_ms`)) ?? 1000
  return delay * 1000 + probes * interval + 3000
}

/** Does the kernel check IPv6 addresses of this interface for duplicates at all? */
export async function isChecked(door: Door, iface: string): Promise<boolean> {
  return (await switchesOff(door, iface)).length === 0
}

/** The sysctls of this interface that keep the kernel from that. An accept_dad of `all` counts where it is higher. */
export async function switchesOff(door: Door, iface: string): Promise<string[]> {
  const conf = (name: string, of = iface) => readNumber(door, `/proc/sys/net/ipv6/conf/${of}/${name}`)
  const accepts = Math.max((await conf('accept_dad', 'all')) ?? 0, (await conf('accept_dad')) ?? 1)
  return [
    ...(accepts > 0 ? [] : ['accept_dad']),
    ...((await conf('dad_transmits')) === 0 ? ['dad_transmits'] : []),
  ]
}

const flagsIn = memoizeLast((table) => {
  const found = new Map<string, number>()
  for (const line of table.split('\n')) {
    const [digits = '', , , , flags = '', iface = ''] = line.trim().split(/\s+/)
    const key = `${digits} ${iface}`
    if (!found.has(key)) found.set(key, parseInt(flags, 16))
  }
  return found
})

/** Milliseconds between two looks: well below the 50 ms in which we want to answer after the end of the check. */
const LOOK_EVERY_MS = 15

/** Is the kernel still looking for a duplicate? */
export function isUnderCheck(state: DadState): boolean {
  return state === 'tentative' || state === 'optimistic'
}

export interface Patience {
  /** Milliseconds. */
  limit: number
  /** Milliseconds between two looks. */
  every?: number
  /** The states that end the wait: those after the check, if nothing else is said. */
  enough?: (state: DadState) => boolean
}

/** Wait for the end of the check, at most `limit` milliseconds; a duplicate ends it at once. */
export async function waitForDad(
  door: Door,
  { address, iface }: { address: string; iface: string },
  { limit, every = LOOK_EVERY_MS, enough = (state) => !isUnderCheck(state) }: Patience,
): Promise<DadState> {
  const wanted = (table: string) => enough(dadState(table, address, iface))
  const assume = (table: string) => `${hexDigits(address)} 00 00 00 80 ${iface}\n${table}`
  const table = await door.read(TABLE, { until: { wanted, every, limit, assume } })
  return dadState(table ?? '', address, iface)
}

/** The state of the address now. */
export async function dadNow(
  door: Door,
  { address, iface }: { address: string; iface: string },
): Promise<DadState> {
  return dadState((await door.read(TABLE)) ?? '', address, iface)
}
