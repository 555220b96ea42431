/**
 * Two filters of the kernel that keep the clients of an IPv4 address out when what it answers leaves by another interface
 * than the one that it is on: two interfaces on one subnet, which public_addresses allows. Pure.
 */
import type { AddressRow } from '../addresses.ts'
import { onWire } from '../addresses.ts'
import { familyOf } from '../../inet/address.ts'
import type { Held } from '../../net/ip-json.ts'
import type { Fault } from './fault.ts'
import { both, conf, highest, type Value } from './sysctls.ts'

/** rp_filter: 1 drops what comes by another way than the answer goes, 2 only what there is no way to at all. */
const [STRICT, LOOSE] = [1, 2]

const isStrict = ({ iface }: Held, value: Value) => highest(both(iface, 'rp_filter'), value) === STRICT

/**
 * With arp_filter only the interface by which the answer leaves says where an address is; with arp_ignore 1 or 2 only the
 * one that has it. With both nobody does.
 */
const isUnanswered = ({ iface }: Held, value: Value) =>
  highest(both(iface, 'arp_filter'), value) > 0 && [1, 2].includes(highest(both(iface, 'arp_ignore'), value))

/** Addresses of which it matters by which interface their answers leave. */
export function toTrace(rows: readonly AddressRow[], value: Value): Held[] {
  return rows
    .filter(({ address }) => familyOf(address) === 'inet')
    .flatMap(onWire)
    .filter((held) => isStrict(held, value) || isUnanswered(held, value))
}

/** `leaving` has, by address, the interface by which they leave. */
export function filterFaults(
  rows: readonly AddressRow[],
  leaving: ReadonlyMap<string, string>,
  value: Value,
): Fault[] {
  const astray = toTrace(rows, value).filter(
    ({ address, iface }) => (leaving.get(address) ?? iface) !== iface,
  )
  return [...new Set(astray.map(({ iface }) => iface))].flatMap((iface) => {
    const here = astray.filter((held) => held.iface === iface)
    const [first] = here
    if (!first) return []
    const names = here.map(({ address }) => address).join(', ')
    const leaves = `${names} ${here.length > 1 ? 'are' : 'is'} on ${iface}, but what is answered leaves by ${leaving.get(first.address)}`
    const strict: Fault = {
      state: 'error',
      kind: 'rp-filter',
      subject: conf(iface, 'rp_filter'),
      seen: `1 holds: ${leaves}: what arrives on ${iface} is dropped`,
      expected: String(LOOSE),
      repair: { kind: 'write', path: conf(iface, 'rp_filter'), value: LOOSE },
    }
    const unanswered = both(iface, 'arp_filter')
      .filter((path) => value(path) === 1)
      .map((path): Fault => ({
        state: 'error',
        kind: 'arp-filter',
        subject: path,
        seen: `1, with arp_ignore ${highest(both(iface, 'arp_ignore'), value)}: ${leaves}: ARP is answered on neither`,
        expected: '0',
        repair: { kind: 'write', path, value: 0 },
      }))
    return [...(isStrict(first, value) ? [strict] : []), ...(isUnanswered(first, value) ? unanswered : [])]
  })
}
