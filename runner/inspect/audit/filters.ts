/**
 * Two filters of the kernel, rp_filter and arp_filter. They keep the clients of an IPv4 address out when answers leave by
 * another interface than the address is on: two interfaces on one subnet, which public_addresses allows. Pure.
 */
import type { AddressRow } from '../addresses.ts'
import { onWire } from '../addresses.ts'
import { familyOf } from '../../inet/address.ts'
import type { Held } from '../../net/ip-json.ts'
import type { Fault } from './fault.ts'
import { both, conf, highest, type SysctlValue } from './sysctls.ts'

/** rp_filter: 1 drops packets whose answer would leave by another interface, 2 only packets without any route back. */
const [STRICT, LOOSE] = [1, 2]

const isStrict = ({ iface }: Held, value: SysctlValue) => highest(both(iface, 'rp_filter'), value) === STRICT

/**
 * With arp_filter only the interface by which answers leave replies to ARP; with arp_ignore 1 or 2 only the interface that
 * has the address. With both, no interface replies.
 */
const isUnanswered = ({ iface }: Held, value: SysctlValue) =>
  highest(both(iface, 'arp_filter'), value) > 0 && [1, 2].includes(highest(both(iface, 'arp_ignore'), value))

/** Addresses for which it matters by which interface their answers leave. */
export function toTrace(rows: readonly AddressRow[], value: SysctlValue): Held[] {
  return rows
    .filter(({ address }) => familyOf(address) === 'inet')
    .flatMap(onWire)
    .filter((held) => isStrict(held, value) || isUnanswered(held, value))
}

/** `leaving` maps an address to the interface by which its answers leave. */
export function filterFaults(
  rows: readonly AddressRow[],
  leaving: ReadonlyMap<string, string>,
  value: SysctlValue,
): Fault[] {
  const astray = toTrace(rows, value).filter(
    ({ address, iface }) => (leaving.get(address) ?? iface) !== iface,
  )
  return [...new Set(astray.map(({ iface }) => iface))].flatMap((iface) => {
    const here = astray.filter((held) => held.iface === iface)
    const [first] = here
    if (!first) return []
    const names = here.map(({ address }) => address).join(', ')
    const leaves = `${names} ${here.length > 1 ? 'are' : 'is'} on ${iface}, but answers leave by ${leaving.get(first.address)}`
    const strict: Fault = {
      state: 'error',
      kind: 'rp-filter',
      subject: conf(iface, 'rp_filter'),
      seen: `1 holds: ${leaves}: packets that arrive on ${iface} are dropped`,
      expected: String(LOOSE),
      repair: { kind: 'write', path: conf(iface, 'rp_filter'), value: LOOSE },
    }
    const unanswered = both(iface, 'arp_filter')
      .filter((path) => value(path) === 1)
      .map((path): Fault => ({
        state: 'error',
        kind: 'arp-filter',
        subject: path,
        seen: `1, with arp_ignore ${highest(both(iface, 'arp_ignore'), value)}: ${leaves}: neither interface answers ARP`,
        expected: '0',
        repair: { kind: 'write', path, value: 0 },
      }))
    return [...(isStrict(first, value) ? [strict] : []), ...(isUnanswered(first, value) ? unanswered : [])]
  })
}
