/**
 * Siblings are the IPv4 addresses of one subnet on one interface. The first takes the others along when it is deleted, unless
 * the kernel promotes one of them. They are put back in the same batch of `ip`. Meanwhile a host prefix holds each: the
 * address is here all the time, so its connections stay, and so do routes that name it or that go by an interface which
 * would have no address for a moment. Pure.
 */
import { memoizeLast } from '../../base/memoize.ts'
import { familyOf, hostBits } from '../../inet/address.ts'
import { FOR_EVER, rows } from '../ip-json.ts'
import { networkOf, networkText } from '../../inet/network.ts'
import { additionLine, deletionLine, type Placement } from './placement.ts'

/** A line of a batch of `ip`, in words. */
export type Line = readonly string[]

/** The command for a batch: `ip` goes on after a line that fails. */
export const BATCH: Line = ['ip', '-force', '-batch', '-']

/** An address that would go with another. */
export interface Sibling extends Placement {
  /** The deletion that it would go with. */
  goesWith: string
  /** Before the deletion, if it is not held by such a prefix anyway; after it; and when it is back. */
  hold: Line[]
  back: Line
  letGo: Line[]
}

export function batchText(lines: readonly Line[]): string {
  return lines.map((line) => `${line.join(' ')}\n`).join('')
}

/** The lines of a batch that failed: `ip` numbers them, our event daemon names them. All lines, where neither did. */
export function failedIn(err: string, lines: readonly Line[]): string[] {
  const failed = [...err.matchAll(/^Command failed (?:-:(\d+)|(.+))$/gm)]
  if (failed.length === 0) return lines.map((line) => line.join(' '))
  return failed.map(([, number, line = '']) => lines[Number(number) - 1]?.join(' ') ?? line)
}

/** The address that such a line puts back, `10.0.0.2/24`; undefined for any other line. */
export function putBackBy(line: string): string | undefined {
  const [, address, bits] = /^addr add ([^ /]+)(?: peer [^ /]+)?\/(\d+) /.exec(line) ?? []
  return address === undefined || Number(bits) === hostBits(address) ? undefined : `${address}/${bits}`
}

/** All lines for these deletions, from the last address of a subnet to the first. */
export function batchFor(deletions: readonly Line[], siblings: readonly Sibling[]): Line[] {
  return [
    ...siblings.flatMap(({ hold }) => hold),
    ...deletions,
    ...siblings.map(({ back }) => back),
    ...siblings.flatMap(({ letGo }) => letGo),
  ]
}

/** What the kernel takes along with these deletions and is not deleted itself; `shown` is what `ip -json addr show` prints. */
export function siblingsOf(deletions: readonly Line[], shown: string): Sibling[] {
  const held = ipv4In(shown)
  const going = new Set(deletions.map((line) => line.join(' ')))
  const isGoing = ({ deletion }: Ipv4) => going.has(deletion.join(' '))
  const first = new Map(
    held.filter((each) => !each.isSecondary && isGoing(each)).map((each) => [each.subnet, each]),
  )
  const hosts = new Set(held.filter(({ bits }) => bits === HOST).map(placeOf))
  return held.flatMap((each) => {
    const goesWith = first.get(each.subnet)?.deletion.join(' ')
    if (!each.isSecondary || goesWith === undefined || isGoing(each)) return []
    const { address, bits, iface, peer, back, scope } = each
    const host = { address, bits: HOST, iface }
    const isHeld = hosts.has(placeOf(each))
    const hold = isHeld ? [] : [additionLine(host, scope)]
    const letGo = isHeld ? [] : [deletionLine(host)]
    return [{ address, bits, iface, peer, goesWith, back, hold, letGo }]
  })
}

const HOST = 32
const placeOf = ({ address, iface }: Ipv4) => `${address} ${iface}`

interface Ipv4 extends Placement {
  /** The interface and the network: the first address of a subnet takes the others along. */
  subnet: string
  isSecondary: boolean
  /** How it is deleted, and how it is added again as it is now. */
  deletion: Line
  back: Line
  scope: Line
}

/** In the kernel's order. */
const ipv4In = memoizeLast((shown: string): readonly Ipv4[] =>
  rows(shown, 'interfaces').flatMap(({ ifname, addr_info: infos }) =>
    (Array.isArray(infos) ? (infos as Info[]) : [])
      .filter(({ family, local }) => family === 'inet' && typeof local === 'string')
      .map((info) => ipv4(String(ifname), info)),
  ),
)

/** The fields of an address in `ip -json` that are of use here. */
interface Info {
  family: string
  local: string
  prefixlen: number
  /** The far end. */
  address?: string
  broadcast?: string
  scope?: string
  secondary?: boolean
  label?: string
  metric?: number
  protocol?: string
  noprefixroute?: boolean
  autojoin?: boolean
  deprecated?: boolean
  valid_life_time?: number
  preferred_life_time?: number
}

function ipv4(iface: string, info: Info): Ipv4 {
  const { local: address, prefixlen: bits, address: peer, scope = 'global' } = info
  const scopeWords = scope === 'global' ? [] : ['scope', scope]
  const placement = { address, bits, iface, peer }
  return {
    ...placement,
    subnet: `${iface} ${networkText(networkOf(peer ?? address, bits))}`,
    isSecondary: info.secondary === true,
    deletion: deletionLine(placement),
    back: additionLine(placement, [...scopeWords, ...asItIs(iface, info)]),
    scope: scopeWords,
  }
}

/** The words for `ip addr add` that make the address as it was; without those that say the default. */
function asItIs(iface: string, info: Info): string[] {
  const given = (word: string, value?: string | number) => (value === undefined ? [] : [word, String(value)])
  return [
    ...given('brd', info.broadcast),
    ...given('label', info.label === iface ? undefined : info.label),
    ...given('metric', info.metric),
    ...given('proto', info.protocol),
    ...(info.noprefixroute ? ['noprefixroute'] : []),
    ...(info.autojoin ? ['autojoin'] : []),
    ...lifetimes(info),
  ]
}

/** `ip` says of an address that stays for ever that it is preferred for ever, also where it is deprecated. */
function lifetimes({ deprecated = false, valid_life_time: valid = FOR_EVER, ...info }: Info): string[] {
  const preferred = deprecated ? 0 : (info.preferred_life_time ?? FOR_EVER)
  const seconds = (time: number) => (time === FOR_EVER ? 'forever' : String(time))
  if (valid === FOR_EVER && preferred === FOR_EVER) return []
  return ['valid_lft', seconds(valid), 'preferred_lft', seconds(preferred)]
}

/** Can this address have siblings at all? */
export function mayHaveSiblings({ address, bits }: { address: string; bits: number }): boolean {
  return familyOf(address) === 'inet' && bits < hostBits(address)
}
