/** Settings of the kernel that lose public addresses, or keep them from being served. Pure: the values are read before. */
import type { AddressRow } from '../addresses.ts'
import { onWire } from '../addresses.ts'
import { familyOf, type Family } from '../../inet/address.ts'
import type { Held, Link } from '../../net/ip-json.ts'
import { contains, networkOf, networkText } from '../../inet/network.ts'
import { NONLOCAL_BITES, nonlocalBind } from '../../net/sysctl/sysctl.ts'
import type { Fault } from './fault.ts'

/** The value of a sysctl by its path; undefined where the kernel has no such sysctl. */
export type SysctlValue = (path: string) => number | undefined

export const conf = (iface: string, name: string) => `/proc/sys/net/ipv4/conf/${iface}/${name}`

/** arp_ignore: 2 answers the own subnet only, 3 no address of scope host, 8 nobody. */
const [SAME_SUBNET, NOT_OF_HOST, ALL] = [2, 3, 8]

const NAMES = ['promote_secondaries', 'arp_ignore', 'arp_filter', 'rp_filter']

/** The paths of all sysctls that an audit reads. */
export function sysctlsOf(rows: readonly AddressRow[]): string[] {
  const ifaces = new Set(
    rows.flatMap((row) => [...row.held.map(({ iface }) => iface), ...(row.belongs ?? [])]),
  )
  return [
    ...familiesOf(rows).map(nonlocalBind),
    ...['all', ...ifaces].flatMap((iface) => NAMES.map((name) => conf(iface, name))),
  ]
}

export function sysctlFaults(
  rows: readonly AddressRow[],
  links: readonly Link[],
  value: SysctlValue,
): Fault[] {
  const ipv4 = rows.filter(({ address }) => familyOf(address) === 'inet')
  const serving = links.filter((link) => publicOn(ipv4, link).length > 0)
  return [
    ...familiesOf(rows).flatMap((family) => nonlocalFault(family, value) ?? []),
    ...serving.flatMap((link) => promotionFault(ipv4, link, value) ?? []),
    ...serving.flatMap((link) => silentFaults(ipv4, link, value)),
    ...loudFault(ipv4, value),
  ]
}

function familiesOf(rows: readonly AddressRow[]): Family[] {
  return [...new Set(rows.map(({ address }) => familyOf(address)))]
}

function nonlocalFault(family: Family, value: SysctlValue): Fault | undefined {
  const path = nonlocalBind(family)
  if (value(path) !== 1) return undefined
  return {
    state: 'error',
    kind: 'nonlocal-bind',
    subject: path,
    seen: `1: ${NONLOCAL_BITES}`,
    expected: '0',
    repair: { kind: 'write', path, value: 0 },
  }
}

/** Our handlers set promote_secondaries before they delete; an admin who deletes by hand may not. */
function promotionFault(rows: readonly AddressRow[], link: Link, value: SysctlValue): Fault | undefined {
  const path = conf(link.name, 'promote_secondaries')
  const [all, own] = [value(conf('all', 'promote_secondaries')), value(path)]
  if (all === 1 || own === 1) return undefined
  const subnets = link.addresses.filter(({ address }) => familyOf(address) === 'inet').map(subnetOf)
  const isShared = (held: Held) => subnets.filter((each) => each === subnetOf(held)).length > 1
  const endangered = publicOn(rows, link).filter(isShared)
  if (endangered.length === 0) return undefined
  return {
    state: 'warning',
    kind: 'promote-secondaries',
    subject: path,
    seen: `${own ?? 'no such sysctl'}: deleting the first address of a subnet by hand deletes all of it, also ${endangered.map(({ address }) => address).join(', ')}`,
    expected: '1',
    ...(own === undefined ? {} : { repair: { kind: 'write', path, value: 1 } }),
  }
}

const subnetOf = ({ address, bits }: Held) => networkText(networkOf(address, bits))

function publicOn(rows: readonly AddressRow[], { name }: Link): Held[] {
  return rows.flatMap((row) => onWire(row).filter(({ iface }) => iface === name))
}

export const both = (iface: string, name: string) => [conf('all', name), conf(iface, name)]
export const highest = (paths: readonly string[], value: SysctlValue) =>
  Math.max(...paths.map((path) => value(path) ?? 0))

/** An address is here, but nobody can learn its MAC. The higher of the two values, for all and for one interface, holds. */
function silentFaults(rows: readonly AddressRow[], link: Link, value: SysctlValue): Fault[] {
  const paths = both(link.name, 'arp_ignore')
  const holds = highest(paths, value)
  const isNear = ({ address }: Held) =>
    link.addresses.some(
      (each) =>
        each.bits < 32 &&
        familyOf(each.address) === 'inet' &&
        contains(networkOf(each.address, each.bits), address),
    )
  const silent = publicOn(rows, link).filter(
    (held) => holds === ALL || (holds === SAME_SUBNET && !isNear(held)),
  )
  if (silent.length === 0) return []
  // a parked address must stay silent
  const better = holds === SAME_SUBNET ? 1 : rows.some(({ parked }) => parked) ? NOT_OF_HOST : 0
  const names = silent.map(({ address }) => address).join(', ')
  return paths
    .filter((path) => value(path) === holds)
    .map((path) => ({
      state: 'error',
      kind: 'arp-ignore',
      subject: path,
      seen: `${holds}: ${link.name} answers no ARP ${holds === ALL ? 'at all' : 'of hosts outside its subnets'}: nobody reaches ${names}`,
      expected: String(better),
      repair: { kind: 'write', path, value: better },
    }))
}

/** A parked address must not be answered for: another host has it. */
function loudFault(rows: readonly AddressRow[], value: SysctlValue): Fault[] {
  const all = conf('all', 'arp_ignore')
  const answers = (iface: string) => highest(both(iface, 'arp_ignore'), value) === 0
  const loud = rows.filter(({ parked, belongs }) => parked && belongs?.some(answers))
  if (loud.length === 0) return []
  const names = loud.map(({ address }) => address).join(', ')
  return [
    {
      state: 'error',
      kind: 'arp-ignore',
      subject: all,
      seen: `0: this node answers ARP for ${names}, which is parked: another host has it`,
      expected: String(NOT_OF_HOST),
      repair: { kind: 'write', path: all, value: NOT_OF_HOST },
    },
  ]
}
