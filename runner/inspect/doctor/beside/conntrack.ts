import { readNumber } from '../../../net/sysctl/sysctl.ts'
import { about, type Examination } from '../../finding.ts'

const PATH = '/proc/sys/net/netfilter/nf_conntrack_tcp_loose'

/** After a move the kernel of the new node knows none of the connections, which tickles are about. */
export const conntrack: Examination = async ({ door, uses }) => {
  if (!(uses.inet || uses.inet6) || (await readNumber(door, PATH)) !== 0) return []
  const name = 'net.netfilter.nf_conntrack_tcp_loose'
  return about('sysctl').warn(
    name,
    'is 0: what a client answers to a tickle is INVALID for the firewall, and clients of an address that moved wait for their own timeouts where such packets are dropped',
    `sysctl -w ${name}=1`,
  )
}
