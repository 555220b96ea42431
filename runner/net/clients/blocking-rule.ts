/** The rules that block an address: how they are written, listed and recognised. Pure. */
import { memoizeLast } from '../../base/memoize.ts'
import { canonical, familyOf } from '../../inet/address.ts'
import type { PublicAddress } from '../address/public-addresses.ts'
import { isNamed, type Link } from '../ip-json.ts'

/** Packets that arrive on that interface for that address are dropped. */
export interface Block {
  address: string
  iface: string
  /** It has our mark. An older version of ours, and CTDB's script, set none. */
  marked: boolean
  /** The program whose tables have it, where that is not the one of the family: `iptables-legacy`. */
  by?: string
}

/** By the family of an address. */
export type FirewallProgram = 'iptables' | 'ip6tables'

export function programFor(address: string): FirewallProgram {
  return familyOf(address) === 'inet6' ? 'ip6tables' : 'iptables'
}

/**
 * How long the program waits, in seconds, while another one holds the lock of the firewall. Without a number it waits as
 * long as the other holds it.
 */
export const WAIT = ['-w', '3'] as const

/** Nobody else writes this comment: a rule that has it is ours. */
const MARK = ['-m', 'comment', '--comment', 'eventscript']

/** The command that lists all rules for arriving packets. */
export function listRules(program: FirewallProgram): string[] {
  return [program, ...WAIT, '-S', 'INPUT']
}

/** The command that inserts such a rule, or deletes it. */
export function blockingRule(
  { address, iface, marked, by = programFor(address) }: Block,
  how: '-I' | '-D',
): string[] {
  const mark = marked ? MARK : []
  return [by, ...WAIT, how, 'INPUT', '-i', iface, '-d', address, ...mark, '-j', 'DROP']
}

/**
 * Is that text the whole of what `iptables -S INPUT` prints? The policy of the chain comes first, and the last line has an end.
 * A program that is killed, or lies, prints half of its list, or another text, and may succeed all the same.
 */
export function isRuleList(text: string): boolean {
  return /^-P INPUT \S+\n/.test(text) && text.endsWith('\n')
}

/**
 * The rules of exactly that form in the output of `iptables -S INPUT`:
 * `-A INPUT -d 10.0.0.1/32 -i eth0 -m comment --comment eventscript -j DROP`, or the same without the comment.
 */
export const parseBlocks = memoizeLast(blocksIn)

const FORM = /^-A INPUT -d ([^/\s]+)\/(?:32|128) -i (\S+)( -m comment --comment "?eventscript"?)? -j DROP$/

function blocksIn(text: string): readonly Block[] {
  return text.split('\n').flatMap((line) => {
    const [, written = '', iface = '', mark] = FORM.exec(line.trim()) ?? []
    const address = canonical(written)
    return address ? [{ address, iface, marked: mark !== undefined }] : []
  })
}

/**
 * Is the rule ours, or CTDB's? The mark says so. A rule without mark counts where CTDB's script would have set it: the list
 * names that interface for that address, by its name or, with `links`, by an altname. Any other is the admin's own.
 */
export function isOurRule(
  { address, iface, marked }: Block,
  listed: readonly Pick<PublicAddress, 'address' | 'ifaces'>[],
  links: readonly Pick<Link, 'name' | 'altnames'>[] = [],
): boolean {
  if (marked) return true
  const link = links.find((each) => isNamed(each, iface)) ?? { name: iface, altnames: [] }
  return listed.some((entry) => entry.address === address && entry.ifaces.some((name) => isNamed(link, name)))
}
