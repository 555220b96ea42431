/** Addresses that are elsewhere than public_addresses and the daemon say. Pure. */
import type { AddressRow } from '../addresses.ts'
import { onWire } from '../addresses.ts'
import { hostBits } from '../../inet/address.ts'
import type { Held } from '../../net/ip-json.ts'
import type { Fault, Repair } from './fault.ts'
import { where, type Placement } from '../../net/address/placement.ts'

/**
 * `own` is this node's number; undefined when the daemon does not answer: then only faults that need no daemon are found.
 * `rivals`: the other host that has an address, in words.
 */
export function addressFaults(
  rows: readonly AddressRow[],
  own: number | undefined,
  rivals: ReadonlyMap<string, string> = new Map(),
): Fault[] {
  return rows.flatMap((row) => {
    const fault = own === undefined ? ofItself(row) : faultOf(row, own)
    if (!fault) return []
    const rival = rivals.get(row.address)
    return rival === undefined ? fault : contested(fault, rival)
  })
}

/** Another host has the address: a takeip fails until that host has let go. */
function contested(fault: Fault, rival: string): Fault {
  const expected = `${fault.expected}: another host has it: ${rival}: take it away there first`
  return { ...fault, expected, repair: undefined }
}

/** A fault that needs no daemon's view. Without that view nobody knows whether the address should stay. */
function ofItself(row: AddressRow): Fault | undefined {
  const places = onWire(row)
  if (row.parked && places.every(({ state }) => state !== 'ready')) return parkedFault(row)
  const [failed] = places.filter(({ state }) => state === 'duplicate')
  const common = {
    state: 'error',
    subject: row.address,
    expected: 'what the daemon says: it does not',
  } as const
  if (failed) return { ...common, kind: 'duplicate', seen: failedOn(failed) }
  if (places.length > 1) return { ...common, kind: 'double', seen: `on ${where(places)}` }
  return undefined
}

function faultOf(row: AddressRow, own: number): Fault | undefined {
  const { address, state, believed } = row
  const places = onWire(row)
  const subject = address
  const seen = `on ${where(places)}`
  switch (state) {
    case 'duplicate': {
      const failed = places.find((held) => held.state === 'duplicate')
      return {
        state: 'error',
        kind: state,
        subject,
        seen: failed ? failedOn(failed) : seen,
        ...toBe(row, own),
      }
    }
    case 'stray':
      // an address that the daemon does not know may be there on purpose: with failover disabled none is CTDB's
      if (believed) return { state: 'error', kind: state, subject, seen, ...toBe(row, own) }
      return { state: 'warning', kind: state, subject, seen, expected: notLoaded(address) }
    case 'double':
    case 'missing':
    case 'wrong-interface':
    case 'wrong-netmask':
      return {
        state: 'error',
        kind: state,
        subject,
        seen: seen === 'on ' ? 'not here' : seen,
        ...toBe(row, own),
      }
    case 'parked':
      return parkedFault(row)
    case 'unloaded':
      return {
        state: 'warning',
        kind: state,
        subject,
        seen: 'in public_addresses',
        expected: notLoaded(address),
      }
    default:
      return expiringFault(row, own)
  }
}

/** In its place, but the kernel removes it after some time. */
function expiringFault(row: AddressRow, own: number): Fault | undefined {
  const expiring = onWire(row).filter(({ validFor }) => validFor !== undefined)
  if (expiring.length === 0) return undefined
  const seen = `on ${where(expiring)} for a limited time (valid_lft)`
  const { expected, repair } = toBe(row, own)
  return {
    state: 'error',
    kind: 'expiring',
    subject: row.address,
    seen,
    expected: `${expected}, for ever`,
    ...(repair ? { repair } : {}),
  }
}

const failedOn = (held: Held) =>
  `on ${where([held])}, where its duplicate check has failed: another host has it`

const notLoaded = (address: string) =>
  `the daemon to know ${address}: "ctdb reloadips" makes it read public_addresses, unless failover is disabled`

/** No repair is possible on this node, which tries again by itself. */
function parkedFault({ address, listed, rival }: AddressRow): Fault {
  const there = listed ? `${listed.ifaces.join(' or ')}/${listed.bits}` : 'its interface'
  return {
    state: 'warning',
    kind: 'parked',
    subject: address,
    seen: `parked on lo: another host has it: ${rival ?? 'nobody knows who'}`,
    expected: `on ${there}: take it away there, then it goes to its place by itself`,
  }
}

/** The place that the daemon believes in, and the event that puts the address there. */
function toBe(row: AddressRow, own: number): { expected: string; repair?: Repair } {
  const { address, believed } = row
  if (believed?.node !== own) {
    const elsewhere = (believed?.node ?? -1) < 0 ? 'on no node' : `on node ${believed?.node}`
    return { expected: `${elsewhere}, as the daemon believes`, repair: release(row) }
  }
  const target = targetOf(row)
  if (!target)
    return { expected: `here, as the daemon believes; which netmask, public_addresses does not say` }
  return {
    expected: `on ${where([target])}, as the daemon believes`,
    repair: { kind: 'event', event: 'takeip', words: [target.iface, address, String(target.bits)] },
  }
}

/** The interface is the daemon's, the netmask that of public_addresses: the daemon reads it there and does not report it. */
export function targetOf({ address, believed, listed }: AddressRow): Placement | undefined {
  const iface = believed?.active[0] ?? listed?.ifaces[0]
  return listed && iface !== undefined ? { address, bits: listed.bits, iface } : undefined
}

function release(row: AddressRow): Repair {
  const { address, listed } = row
  const [place] = onWire(row)
  const bits = place?.bits ?? listed?.bits ?? hostBits(address)
  return { kind: 'event', event: 'releaseip', words: [place?.iface ?? '__none__', address, String(bits)] }
}
