import type { Node } from '../../node/node.ts'
import { packageOf } from '../../machine/remedy/remedy.ts'
import { canonical, familyOf } from '../../inet/address.ts'
import { lockedIfPossible } from '../locked.ts'
import { memoizeLast } from '../../base/memoize.ts'
import { why } from '../answer.ts'

/** A rule of ours: packets that arrive on that interface for that address are dropped. */
export interface Block {
  address: string
  iface: string
}

/** By the family of an address. */
export type FirewallProgram = 'iptables' | 'ip6tables'

export function programFor(address: string): FirewallProgram {
  return familyOf(address) === 'inet6' ? 'ip6tables' : 'iptables'
}

export function ruleOf({ address, iface }: Block): string[] {
  return ['INPUT', '-i', iface, '-d', address, '-j', 'DROP']
}

/** The command that lists all rules for arriving packets. */
export function listRules(program: FirewallProgram): string[] {
  return [program, '-w', '-S', 'INPUT']
}

/** The command that inserts such a rule, or deletes it. */
export function blockingRule(block: Block, how: '-I' | '-D'): string[] {
  return [programFor(block.address), '-w', how, ...ruleOf(block)]
}

/** Said beside each rule that is taken out. */
const TAKEN_OUT = { batch: 'iptables', removes: { rules: 1 } } as const

/** The lock that CTDB's scripts take around iptables. */
export function firewallLock({ settings }: Node): string {
  return `${settings.vardir}/iptables.flock`
}

/** The rules of that shape in the output of `iptables -S INPUT`: `-A INPUT -d 10.0.0.1/32 -i eth0 -j DROP`. */
export const parseBlocks = memoizeLast(blocksIn)

function blocksIn(text: string): readonly Block[] {
  return text.split('\n').flatMap((line) => {
    const found = /^-A INPUT -d ([^/\s]+)\/(?:32|128) -i (\S+) -j DROP$/.exec(line.trim())
    const address = canonical(found?.[1] ?? '')
    return address && found?.[2] ? [{ address, iface: found[2] }] : []
  })
}

/**
 * Do `work` while no packet for the address gets in, so that no client is answered "connection reset" by a node that is
 * just letting go of the address. The rule is gone afterwards also when the work fails; the rules that killed runs have
 * left for the address, on whatever interface, go with it. A firewall that cannot be changed is a WARNING, not a failure.
 */
export async function blocked(node: Node, block: Block, work: () => Promise<void>): Promise<void> {
  const program = programFor(block.address)
  if (!(await node.find(program))) {
    node.say(
      `WARNING: ${program} not found: ${block.address} is not blocked meanwhile: ${packageOf(program)}`,
    )
    return await work()
  }
  await withFirewall(node, async () => {
    // an insertion that was ended at a deadline may still come: the deletion comes after it
    let rules: readonly Block[] = [block]
    try {
      rules = await insertOnce(node, program, block)
      await work()
    } finally {
      for (const rule of rules) await node.change({ undo: true, ...TAKEN_OUT })`${blockingRule(rule, '-D')}`
    }
  })
}

/** Gives back the rules that there are now for the address. */
async function insertOnce(node: Node, program: FirewallProgram, block: Block): Promise<Block[]> {
  const rules = await node.ask`${listRules(program)}`
  const left = parseBlocks(rules.out).filter(({ address }) => address === block.address)
  if (left.some(({ iface }) => iface === block.iface)) {
    node.because(
      `a run that was killed has left the rule that blocks ${block.address} on ${block.iface}: it serves`,
    )
    return left
  }
  const inserted = await node.change({ batch: 'iptables' })`${blockingRule(block, '-I')}`
  if (inserted.status !== 0)
    node.say(`WARNING: cannot block ${block.address} on ${block.iface}: ${why(inserted)}`)
  return [block, ...left]
}

/** Remove the rules that a killed run has left for these addresses. Looks first, and takes the lock only to change. */
export async function unblock(node: Node, addresses: readonly string[]): Promise<void> {
  const left: Block[] = []
  for (const program of new Set(addresses.map(programFor)))
    left.push(...(await blocksOf(node, program, addresses)))
  if (left.length === 0) return
  // once for both families: two waits for a busy lock would be most of an event's time
  await withFirewall(node, async () => {
    for (const block of left) {
      const removed = await node.change(TAKEN_OUT)`${blockingRule(block, '-D')}`
      if (removed.status !== 0)
        node.say(`WARNING: cannot unblock ${block.address} on ${block.iface}: ${why(removed)}`)
    }
  })
}

/** The present rules for these addresses; none where they cannot be seen. */
export async function blocksOf(
  node: Node,
  program: FirewallProgram,
  addresses: readonly string[],
): Promise<Block[]> {
  const rules = await blocksNow(node, program)
  if (rules === undefined) return []
  if (typeof rules === 'string') {
    node.because(rules)
    return []
  }
  const left = rules.filter(({ address }) => addresses.includes(address))
  node.because(
    left.length === 0
      ? `no rule of ${program} blocks what arrives`
      : `${left.length} rules of ${program} are left from a run that was killed`,
  )
  return left
}

/** All present rules of that shape; undefined without that program, a sentence when it cannot list them. */
export async function blocksNow(
  node: Node,
  program: FirewallProgram,
): Promise<readonly Block[] | string | undefined> {
  if (!(await node.find(program))) return undefined
  const rules = await node.ask`${listRules(program)}`
  return rules.status === 0
    ? parseBlocks(rules.out)
    : `whether a rule of ${program} blocks what arrives cannot be seen: ${why(rules)}`
}

/**
 * An address that stays blocked is worse than a change without the lock: iptables has a lock of its own. Events that run at
 * once in one process block different addresses: they do not disturb each other.
 */
function withFirewall(node: Node, work: () => Promise<void>): Promise<void> {
  return lockedIfPossible(node, firewallLock(node), 'the firewall is changed without it', work)
}
