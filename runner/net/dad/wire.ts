/**
 * Questions to the wire: which other host has this address? They are put by packet sockets, of arping and of a helper of ours,
 * so no filter, route or sysctl of this node hides an answer. A link that carries nothing gives no answer: that is a Refusal,
 * and never "nobody".
 */
import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { packageOf } from '../../machine/remedy/remedy.ts'
import { interfaces, linksInDetail, pick } from '../address/interfaces.ts'
import { why } from '../answer.ts'
import { arpingQuestion } from '../arping.ts'
import type { Link } from '../ip-json.ts'

export interface Contested {
  address: string
  iface: string
}

/** `unasked`: there is no perl, no packet socket for us, or no Ethernet. */
export type Asked = { mac: string } | 'nobody' | 'unasked'

/** Probes for an IPv4 address, a second apart; questions for an IPv6 address, so many milliseconds apart. */
const ARP_PROBES = 2
const QUESTIONS = 2
export const QUESTION_MS = 500
/** Milliseconds beyond the questions after which the helper is ended. */
const HELPER_MS = 3000

/**
 * The other host that has the address now. An interface of ours on the same network is no other host. 2 s for IPv4 and 1 s
 * for IPv6 when nobody answers; as long again when one of ours does. Throws a Refusal when the link cannot be asked.
 */
export async function askWire(node: Node, contested: Contested): Promise<Asked> {
  await mustHear(node, contested.iface)
  const first =
    familyOf(contested.address) === 'inet' ? await byArp(node, contested) : await byPackets(node, contested)
  const reply = typeof first === 'object' ? await unlessOurs(node, contested, first.mac) : first
  // a link that has been lost meanwhile may have lost the answer
  if (reply === 'nobody') await mustHear(node, contested.iface)
  return reply
}

/**
 * Whoever asks listens no longer after the first answer. If that is an interface of ours, the question is put again, and what
 * ours answer does not count. Throws a Refusal without the helper for that: the others have not been heard.
 */
async function unlessOurs(node: Node, contested: Contested, mac: string): Promise<Asked> {
  const links = await linksInDetail(node)
  const own = links.find((link) => link.mac === mac)
  if (!own) return { mac }
  const ours = [...new Set(links.flatMap((link) => link.mac ?? []))]
  const reply = await byPackets(node, contested, ARP_PROBES * 2, ours)
  if (reply !== 'unasked') return reply
  return refuse(
    `${own.name} of this node is on the same network and answers first, so no other host is heard: ${packageOf('perl')}, with which we ask ourselves`,
  )
}

/** By arping. Throws a Refusal when that cannot ask. */
export async function byArp(node: Node, { address, iface }: Contested): Promise<Asked> {
  const version = await node.ask`arping -V`
  const question = arpingQuestion(version.out + version.err, address, iface, ARP_PROBES)
  const { out, err, status } = await node.ask`${question}`
  const mac = macIn(out)
  // the exit status does not tell an answer, silence, and a question that could not be asked apart
  const isSent = / received|^received /im.test(out) && !/^(?:sent 0 probe|0 packets transmitted)/im.test(out)
  if (mac === undefined && !isSent)
    refuse(`arping cannot ask on ${iface}: ${why({ status, out, err }, 'CAP_NET_RAW')}`)
  return mac === undefined ? 'nobody' : { mac }
}

/**
 * By a helper that asks as the kernel's duplicate check does, or by ARP, and hears the answer of a host also where the kernel does not.
 * `ours`: MACs that are no other host. Throws a Refusal when a question does not leave: the kernel's does not either.
 */
export async function byPackets(
  node: Node,
  { address, iface }: Contested,
  questions = QUESTIONS,
  ours: readonly string[] = [],
): Promise<Asked> {
  if (!(await node.find('perl'))) return 'unasked'
  const within = questions * QUESTION_MS + HELPER_MS
  const command = ['wire-question.pl', iface, address, String(questions), String(QUESTION_MS), ...ours]
  const answer = await node.ask({ within })`${command}`
  const mac = macIn(answer.out)
  if (mac !== undefined) return { mac }
  if (answer.out.startsWith('nobody')) return 'nobody'
  if (answer.out.startsWith('unsent')) refuse(`no question leaves by ${iface}: ${answer.out.slice(7).trim()}`)
  node.because(`no packets of our own on ${iface}: ${why(answer, 'CAP_NET_RAW')}`)
  return 'unasked'
}

export function macIn(text: string): string | undefined {
  return /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/i.exec(text)?.[0].toLowerCase()
}

/** The interface of ours that has this MAC. */
export async function ownLink(node: Node, mac: string): Promise<Link | undefined> {
  return (await linksInDetail(node)).find((link) => link.mac === mac)
}

async function mustHear(node: Node, iface: string): Promise<void> {
  const deafness = whyDeaf(pick(await interfaces(node), iface))
  if (deafness !== undefined) refuse(`nobody can be asked on ${iface}: ${deafness}`)
}

/** Why no answer can come from that link. Pure. */
export function whyDeaf(link: Link | undefined): string | undefined {
  if (!link) return 'there is no such interface'
  if (!link.up) return 'it is down'
  if (!link.carrier) return 'it has no carrier'
  return link.noArp ? 'ARP is switched off there ("ip link set arp on" switches it on)' : undefined
}
