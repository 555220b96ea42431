/** Settings of the kernel that harm public addresses. */
import { FAMILIES, familyOf } from '../../inet/address.ts'
import { whyNoIPv6 } from '../../net/address/link.ts'
import { switchesOff } from '../../net/dad/state.ts'
import { isNamed } from '../../net/ip-json.ts'
import { parseNodes } from '../../net/ctdb/nodes-file.ts'
import { parsePublicAddresses } from '../../net/address/public-addresses.ts'
import { NONLOCAL_BITES, nonlocalBind, readNumber } from '../../net/sysctl/sysctl.ts'
import { linesForCtdbd, wordsIn } from '../../base/blanks.ts'
import { about, type Examination, type Finding } from '../finding.ts'
import { promotion } from './promotion.ts'

const PROC = '/proc/sys/net'

const sysctls: Examination = async (patient) => {
  const { door, uses } = patient
  const { ok, error } = about('sysctl')
  const found: Finding[] = await promotion(patient)
  for (const family of FAMILIES) {
    const path = nonlocalBind(family)
    if (!uses[family] || (await readNumber(door, path)) !== 1) continue
    const name = path.replace('/proc/sys/', '').replaceAll('/', '.')
    found.push(...error(name, `is 1: ${NONLOCAL_BITES}`, `sysctl -w ${name}=0`))
  }
  return found.length > 0
    ? found
    : ok('net', 'ip_nonlocal_bind and promote_secondaries are as they should be')
}

/** IPv6 on the interfaces that public_addresses names for IPv6. */
const ipv6: Examination = async ({ door, publicAddresses = '', links }) => {
  const { ok, warn, error } = about('sysctl')
  const entries = parsePublicAddresses(publicAddresses, '').entries
  const wanted = entries
    .filter(({ address }) => familyOf(address) === 'inet6')
    .flatMap(({ ifaces }) => ifaces)
  const found: Finding[] = []
  for (const iface of new Set(wanted)) {
    const link = links.find((each) => isNamed(each, iface))
    if (!link) continue
    const no = whyNoIPv6(link)
    if (no) {
      found.push(...error(iface, no, `ip link set dev ${link.name} mtu 1500`))
      continue
    }
    const conf = `${PROC}/ipv6/conf/${link.name}`
    const set = (name: string, value: number) =>
      `sysctl -w net.ipv6.conf.${link.name.replaceAll('.', '/')}.${name}=${value}`
    const off = await readNumber(door, `${conf}/disable_ipv6`)
    if (off === undefined || off === 1) {
      found.push(...error(iface, 'IPv6 is switched off on it', set('disable_ipv6', 0)))
      continue
    }
    // what we lower for a while (EVENTSCRIPT_DAD) is never 0
    for (const name of await switchesOff(door, link.name))
      found.push(
        ...warn(iface, `${name} is 0: an address that another host has too is not noticed`, set(name, 1)),
      )
    if (link.noArp)
      found.push(
        ...warn(
          iface,
          'ARP is switched off on it: an address that another host has too is not noticed, and nobody finds this node',
          `ip link set dev ${link.name} arp on`,
        ),
      )
  }
  return found.length > 0 || wanted.length === 0 ? found : ok('ipv6', 'the kernel checks for duplicates')
}

/** ctdbd ends at its start when public_addresses names a missing interface, or when no line of the list of nodes is this node. */
const present: Examination = ({ base, publicAddresses, nodes, links }) => {
  const { error } = about('interface')
  if (links.length === 0) return []
  const file = `${base}/public_addresses`
  const names = new Set(links.flatMap(({ name, altnames }) => [name, ...altnames]))
  const missing = parsePublicAddresses(publicAddresses ?? '', file)
    .entries.flatMap(({ ifaces }) => ifaces)
    .filter((iface) => !names.has(iface))
  const found = [...new Set(missing)].flatMap((iface) =>
    error(
      iface,
      `${file} line ${lineWith(publicAddresses ?? '', iface)}: there is no such interface: ctdbd does not start`,
      `repair ${file}: "ip link show" lists the interfaces`,
    ),
  )
  const listed = parseNodes(nodes.text ?? '').flatMap(({ address, deleted }) =>
    deleted ? [] : (address ?? []),
  )
  const held = links.flatMap(({ addresses }) => addresses.map(({ address }) => address))
  if (listed.length === 0 || listed.some((address) => held.includes(address))) return found
  const seen = `none of its ${listed.length} addresses is on this node: ctdbd does not start`
  const remedy = "add this node's private address, or bring its interface up"
  return [...found, ...about('nodes').error(nodes.name, seen, remedy)]
}

function lineWith(text: string, iface: string): number {
  const has = (line: string) => {
    const [first = '', second = ''] = wordsIn(line)
    return !first.startsWith('#') && second.split(',').includes(iface)
  }
  return linesForCtdbd(text).findIndex(has) + 1
}

/** In the order in which an admin would look. */
export const KERNEL = { sysctls, ipv6, present }
