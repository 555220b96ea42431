import { linesForScripts, trimmed, wordsIn } from '../../base/blanks.ts'
import { canonical, familyOf } from '../../inet/address.ts'

/** One node of the group that shares an LVS address. */
export interface Member {
  /** The private address. */
  address: string
  /** The node serves, but never leads. */
  followerOnly: boolean
}

/** The daemon's view of a node, from `ctdb -X nodestatus`. */
export interface NodeStatus {
  number: string
  address: string
  unknown: boolean
  disabled: boolean
  unhealthy: boolean
  /** Disconnected, banned or stopped. */
  inactive: boolean
  self: boolean
}

/** The leader and the servers, by the rules of CTDB's `ctdb_lvs` (4.17). */
export interface Group {
  leader: NodeStatus | undefined
  /** The nodes over which clients are spread; the leader is one of them. */
  servers: readonly NodeStatus[]
}

const EXPECTED = 'expected ADDRESS [follower-only]'

/**
 * Lines `ADDRESS [follower-only]` (ctdb-script.options(5)); `#` begins a comment line. IPVS hands packets on within one
 * family only, that of the public address.
 */
export function parseMembers(
  text: string,
  file: string,
  publicIp: string,
): { members: Member[]; problems: string[] } {
  const members = new Map<string, Member>()
  const problems: string[] = []
  linesForScripts(text).forEach((line, i) => {
    const [first = '', option, ...more] = wordsIn(line)
    if (first === '' || first.startsWith('#')) return
    const address = canonical(first)
    const followerOnly = option !== undefined
    const wrong =
      address === undefined
        ? `"${first}" is no IP address: ${EXPECTED}`
        : followerOnly && (option !== 'follower-only' || more.length > 0)
          ? `"${[option, ...more].join(' ')}" is no option: ${EXPECTED}`
          : whyNotWith(address, followerOnly, members, publicIp)
    if (wrong !== undefined) problems.push(`${file} line ${i + 1}: "${trimmed(line)}": ${wrong}`)
    else if (address !== undefined && !members.has(address)) members.set(address, { address, followerOnly })
  })
  return { members: [...members.values()], problems }
}

function whyNotWith(
  address: string,
  followerOnly: boolean,
  members: ReadonlyMap<string, Member>,
  publicIp: string,
): string | undefined {
  if (familyOf(address) !== familyOf(publicIp))
    return `another family than CTDB_LVS_PUBLIC_IP=${publicIp}: the kernel hands packets on within one family only`
  const earlier = members.get(address)
  return earlier && earlier.followerOnly !== followerOnly
    ? `${address} is there already, with another option: keep one of the two lines`
    : undefined
}

/** The first usable node that may lead is the leader; clients are spread over all usable nodes. */
export function groupOf(members: readonly Member[], statuses: readonly NodeStatus[]): Group {
  const among = (wanted: readonly Member[]) =>
    statuses.filter((status) => wanted.some(({ address }) => address === status.address))
  const [leader] = usable(among(members.filter(({ followerOnly }) => !followerOnly)))
  return { leader, servers: usable(among(members)) }
}

/** The healthy nodes; without any, those that are active and not disabled. */
function usable(nodes: readonly NodeStatus[]): NodeStatus[] {
  const willing = nodes.filter(({ disabled, inactive }) => !disabled && !inactive)
  const healthy = willing.filter(({ unknown, unhealthy }) => !unknown && !unhealthy)
  return healthy.length > 0 ? healthy : willing
}
