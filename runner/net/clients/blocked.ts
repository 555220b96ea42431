import type { Node } from '../../node/node.ts'
import { packageOf } from '../../machine/remedy/remedy.ts'
import { blockingRule, listRules, programFor, type Block } from './blocking-rule.ts'
import { COMMAND_MS, ours, firewallSaid, isLocked, rulesIn, takeOut, withFirewall } from './firewall.ts'
import { noteBlocked } from './still-blocked.ts'

/**
 * Do `work` while no packet for the address gets in, so that no client is answered "connection reset" by a node that is
 * just letting go of the address. The rule is gone afterwards also when the work fails; the rules that killed runs have
 * left for the address, on whatever interface, go with it. A firewall that cannot be changed within 5 s is a WARNING, and
 * the work is done all the same: an address that stays is on two nodes soon.
 */
export async function blocked(
  node: Node,
  { address, iface }: Omit<Block, 'marked'>,
  work: () => Promise<void>,
): Promise<void> {
  const program = programFor(address)
  if (!(await node.find(program))) {
    node.say(`WARNING: ${program} not found: ${address} is not blocked meanwhile: ${packageOf(program)}`)
    return await work()
  }
  const end = performance.now() + COMMAND_MS
  await withFirewall(node, async () => {
    const rules: Block[] = []
    let sure: Block | undefined
    try {
      sure = await insertOnce(node, { address, iface, marked: true }, rules, end)
      await work()
    } finally {
      await takeOut(node, rules, { undo: true, sure })
    }
  })
}

/**
 * Into `rules` come those that may be there for the address, each before its command begins. Gives back the one that was surely
 * put in.
 */
async function insertOnce(node: Node, block: Block, rules: Block[], end: number): Promise<Block | undefined> {
  const { address, iface } = block
  const within = () => Math.max(1, end - performance.now())
  const unblocked = (reason: string) =>
    node.say(`WARNING: cannot block ${address} on ${iface}: ${reason}: it goes unblocked`)
  const seen = rulesIn(await node.ask({ within: within() })`${listRules(programFor(address))}`)
  if (typeof seen === 'string') {
    unblocked(seen)
    // what a run that was killed has left is not seen
    await noteBlocked(node, [address])
    return undefined
  }
  rules.push(...(await ours(node, seen, [address])))
  if (rules.some((rule) => rule.iface === iface)) {
    node.because(`a run that was killed has left the rule that blocks ${address} on ${iface}: it serves`)
    return undefined
  }
  // a program that failed or was ended may have inserted it; one that got no lock has not
  rules.unshift(block)
  const inserted = await node.change({ batch: 'iptables', within: within() })`${blockingRule(block, '-I')}`
  if (inserted.status === 0) return block
  if (isLocked(inserted)) rules.shift()
  unblocked(firewallSaid(inserted))
  return undefined
}
