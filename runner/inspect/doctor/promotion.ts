/** What happens to the other addresses of a subnet when its first IPv4 address goes. */
import { isNamed, type Link } from '../../net/ip-json.ts'
import { networkOf, networkText } from '../../inet/network.ts'
import { parsePublicAddresses, type PublicAddress } from '../../net/address/public-addresses.ts'
import { mayHaveSiblings } from '../../net/address/siblings.ts'
import { promoteSecondaries, readNumber } from '../../net/sysctl/sysctl.ts'
import { whyReadOnly } from '../../machine/files/disk.ts'
import { about, type Finding, type Patient } from '../finding.ts'

/** Our handlers set promote_secondaries where it is 0. So only a 0 that cannot be changed matters, and only beside such a subnet. */
export async function promotion({ door, publicAddresses = '', links }: Patient): Promise<Finding[]> {
  const { warn, error } = about('sysctl')
  const all = await readNumber(door, promoteSecondaries('all'))
  if (all === undefined)
    return error(
      'promote_secondaries',
      'the kernel has no such sysctl: addresses of a subnet go together',
      'another kernel',
    )
  if (all > 0) return []
  const { entries } = parsePublicAddresses(publicAddresses, '')
  const found: Finding[] = []
  for (const link of links.filter((each) => hasSiblings(each, entries))) {
    const path = promoteSecondaries(link.name)
    const code = whyReadOnly(path)
    if (code === undefined || (await readNumber(door, path)) !== 0) continue
    found.push(
      ...warn(
        link.name,
        `promote_secondaries is 0 and cannot be set (${code}): a public address that goes takes others of its subnet along, and they are put back`,
        'on the host: sysctl -w net.ipv4.conf.all.promote_secondaries=1',
      ),
    )
  }
  return found
}

/** A public address, and another address of its subnet: public as well, or the host's own. */
function hasSiblings(link: Link, entries: readonly PublicAddress[]): boolean {
  const ours = entries.filter(({ ifaces }) => ifaces.some((name) => isNamed(link, name)))
  const subnets = new Map<string, Set<string>>()
  for (const { address, bits } of [...ours, ...link.addresses].filter(mayHaveSiblings)) {
    const subnet = networkText(networkOf(address, bits))
    subnets.set(subnet, (subnets.get(subnet) ?? new Set()).add(address))
  }
  const isOurs = (each: string) => ours.some(({ address }) => address === each)
  return [...subnets.values()].some((all) => all.size > 1 && [...all].some(isOurs))
}
