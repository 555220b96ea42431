/** Rules that an event has left behind, killed or in vain, are taken out. */
import type { Node } from '../../node/node.ts'
import { programFor, type Block, type FirewallProgram } from './blocking-rule.ts'
import { blocksNow, isPassing, ours, takeOut, withFirewall } from './firewall.ts'
import { forgetBlocked, noteBlocked, stillBlocked } from './still-blocked.ts'

/**
 * Remove the rules that a killed run has left for these addresses. Looks first, and takes the lock only to change. Gives
 * back the addresses of which rules may still be there.
 */
export async function unblock(node: Node, addresses: readonly string[]): Promise<string[]> {
  const left: Block[] = []
  const unseen: string[] = []
  for (const program of new Set(addresses.map(programFor))) {
    const mine = addresses.filter((address) => programFor(address) === program)
    const found = await blocksOf(node, program, mine)
    if (typeof found === 'string') unseen.push(...(await lookLater(node, mine, found)))
    else left.push(...found)
  }
  if (left.length === 0) return unseen
  let stuck: string[] = []
  // once for both families: two waits for a busy lock would be most of an event's time
  await withFirewall(node, async () => {
    stuck = await takeOut(node, left)
  })
  return [...unseen, ...stuck]
}

/** There may be such a rule: the next monitor looks. A firewall that never works here has none, and is no news each time. */
async function lookLater(
  node: Node,
  addresses: readonly string[],
  reason: string,
): Promise<readonly string[]> {
  if (isPassing(reason)) node.say(`WARNING: ${reason}: the next monitor looks again`)
  else node.because(reason)
  await noteBlocked(node, addresses)
  return addresses
}

/** Take out the rules that could not be taken out before. A look costs a program, so only where there are such. */
export async function unblockAgain(node: Node): Promise<void> {
  const addresses = await stillBlocked(node)
  if (addresses.length === 0) return
  const still = new Set(await unblock(node, addresses))
  await forgetBlocked(
    node,
    addresses.filter((address) => !still.has(address)),
  )
}

/** The present rules of ours for these addresses; a sentence where they cannot be seen. */
async function blocksOf(
  node: Node,
  program: FirewallProgram,
  addresses: readonly string[],
): Promise<Block[] | string> {
  const rules = await blocksNow(node, program)
  if (rules === undefined) return []
  if (typeof rules === 'string') return rules
  const left = await ours(node, rules, addresses)
  node.because(
    left.length === 0
      ? `no rule of ${program} blocks what arrives`
      : `${left.length} rules of ${program} are left from a run that was killed`,
  )
  return left
}
