/** The rules of the firewall that block an address: looked at, and taken out. */
import type { Node } from '../../node/node.ts'
import { refusalOr } from '../../base/refusal.ts'
import { toShell } from '../../machine/argv.ts'
import type { Answer } from '../../machine/machine.ts'
import { why } from '../answer.ts'
import { lockedIfPossible } from '../locked.ts'
import { interfaces } from '../address/interfaces.ts'
import { listIfReadable } from '../address/public-addresses.ts'
import type { Link } from '../ip-json.ts'
import {
  blockingRule,
  isOurRule,
  isRuleList,
  listRules,
  parseBlocks,
  type Block,
  type FirewallProgram,
} from './blocking-rule.ts'
import { noteBlocked } from './still-blocked.ts'

/** Seconds that we wait for the lock of CTDB's scripts: the change is then made without. */
const LOCK_SECONDS = 3
/** Milliseconds for one command of the firewall; and for all waits together before an address is deleted. */
export const COMMAND_MS = 5000

/** Said beside each rule that is taken out. */
const TAKEN_OUT = { batch: 'iptables', removes: { rules: 1 } } as const

/** The lock that CTDB's scripts take around iptables. */
export function firewallLock({ settings }: Node): string {
  return `${settings.vardir}/iptables.flock`
}

/**
 * Take the rules out. One that is gone although it was put in a moment ago (`sure`) is a WARNING. One that stays is a WARNING,
 * and noted for the next monitor; after 5 s in vain the rest is left to that monitor as well. Gives back the addresses that are
 * still blocked.
 */
export async function takeOut(
  node: Node,
  rules: readonly Block[],
  how: { undo?: true; sure?: Block } = {},
): Promise<string[]> {
  const end = performance.now() + COMMAND_MS
  const stuck: Block[] = []
  const { sure, ...undo } = how
  for (const rule of rules) {
    const isInVain = stuck.length > 0 && performance.now() > end
    const reason = isInVain
      ? 'the firewall does not answer'
      : await whyNotOut(node, rule, { ...undo, isSure: rule === sure })
    if (reason === undefined) continue
    stuck.push(rule)
    const command = toShell(blockingRule(rule, '-D'))
    node.say(
      `WARNING: cannot unblock ${rule.address} on ${rule.iface}: ${reason}: the next monitor tries again, or you: "${command}"`,
    )
  }
  const addresses = stuck.map(({ address }) => address)
  if (addresses.length > 0) await noteBlocked(node, addresses)
  return addresses
}

async function whyNotOut(
  node: Node,
  rule: Block,
  { isSure, ...undo }: { undo?: true; isSure: boolean },
): Promise<string | undefined> {
  const options = { ...undo, within: COMMAND_MS, ...TAKEN_OUT }
  const removed = await node.change(options)`${blockingRule(rule, '-D')}`
  // somebody else has removed it, or it never came
  const hadGone = /does a matching rule exist/.test(removed.err)
  if (hadGone && isSure)
    node.say(
      `WARNING: the rule that blocked ${rule.address} on ${rule.iface} had gone before its time: has somebody reloaded the firewall? Clients may have been reset`,
    )
  return removed.status === 0 || hadGone ? undefined : firewallSaid(removed)
}

/**
 * Those that are ours. Only where a rule has no mark is public_addresses read, and only where that does not name the rule's
 * interface are the altnames looked at.
 */
export async function ours(
  node: Node,
  rules: readonly Block[],
  addresses: readonly string[],
): Promise<Block[]> {
  const found = rules.filter(({ address }) => addresses.includes(address))
  if (found.every(({ marked }) => marked)) return found
  const listed = await listedOrNone(node)
  const isNamedElse = ({ address }: Block) => listed.some((entry) => entry.address === address)
  if (!found.some((rule) => !isOurRule(rule, listed) && isNamedElse(rule)))
    return found.filter((rule) => isOurRule(rule, listed))
  const links = await linksOrNone(node)
  return found.filter((rule) => isOurRule(rule, listed, links))
}

/** Interfaces that cannot be seen have no altnames. */
async function linksOrNone(node: Node): Promise<readonly Link[]> {
  const links = await refusalOr(() => interfaces(node))
  if (typeof links !== 'string') return links
  node.because(`${links}: an interface that the list names by an altname is not recognised`)
  return []
}

/** A list that cannot be read names nothing, so nothing of an admin's is taken for ours. */
async function listedOrNone(node: Node) {
  const unread = (reason: string) => node.because(`${reason}: rules without our mark are left alone`)
  return (await listIfReadable(node, unread))?.entries ?? []
}

/** All present rules of that form; undefined without that program, a sentence when it cannot list them. */
export async function blocksNow(
  node: Node,
  program: FirewallProgram,
): Promise<readonly Block[] | string | undefined> {
  if (!(await node.find(program))) return undefined
  const rules = await node.ask({ within: COMMAND_MS })`${listRules(program)}`
  const found = rulesIn(rules)
  return typeof found === 'string'
    ? `whether a rule of ${program} blocks what arrives cannot be seen: ${found}`
    : found
}

/** Said of an answer that is no list of rules, although the program succeeded. */
const NO_LIST = 'no whole list of rules'

/** The rules of that form in an answer; the reason, to stand within a sentence, of one that does not list them. */
export function rulesIn(answer: Answer): readonly Block[] | string {
  if (answer.status !== 0) return firewallSaid(answer)
  if (isRuleList(answer.out)) return parseBlocks(answer.out)
  const [first = ''] = answer.out.split('\n', 1)
  return `it printed ${NO_LIST}: ${answer.out === '' ? 'nothing' : `"${first.slice(0, 60)}"`}: expected "-P INPUT …" first`
}

/** May the same look give an answer the next time? A firewall that is busy, hangs or lies may; one that this kernel lacks may not. */
export function isPassing(reason: string): boolean {
  return [/xtables lock/, /no answer within/, new RegExp(NO_LIST)].some((each) => each.test(reason))
}

/** The reason that the program gave, to stand within a sentence. */
export function firewallSaid(answer: Answer): string {
  return why(answer).replace(/\.$/, '')
}

/** Has another program kept the lock of the firewall? Then nothing was changed. */
export function isLocked({ err }: Pick<Answer, 'err'>): boolean {
  return err.includes('xtables lock')
}

/**
 * An address that stays blocked is worse than a change without the lock: iptables has a lock of its own. Events that run at
 * once in one process block different addresses: they do not disturb each other.
 */
export function withFirewall(node: Node, work: () => Promise<void>): Promise<void> {
  return lockedIfPossible(node, firewallLock(node), 'the firewall is changed without it', work, LOCK_SECONDS)
}
