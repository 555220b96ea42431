/** What CTDB itself says is wrong: this node's flags, and addresses that nobody hosts. Pure. */
import type { BelievedNode } from '../../net/ctdb/daemon-view.ts'
import type { AddressRow } from '../addresses.ts'
import { flagWords, meaningsOf } from '../node-flags.ts'
import type { Fault } from './fault.ts'

/** A fault for each flag that keeps this node from hosting addresses. */
export function flagFaults(nodes: readonly BelievedNode[]): Fault[] {
  const here = nodes.filter((node) => node.here)
  return here.flatMap((node) =>
    meaningsOf(node).map(({ state, name, text, remedy }) => ({
      state,
      kind: 'node-flag',
      subject: `node ${node.node}`,
      seen: `${name}: ${text}`,
      expected: `OK: ${remedy}`,
    })),
  )
}

/** A fault for each address that no node hosts. This node cannot repair that: the cluster's leader decides. */
export function unassignedFaults(rows: readonly AddressRow[], nodes: readonly BelievedNode[]): Fault[] {
  return rows
    .filter(({ state }) => state === 'unassigned')
    .map(({ address }) => ({
      state: 'error',
      kind: 'unassigned',
      subject: address,
      seen: 'no node hosts it',
      expected: `a node to host it: ${whyNobody(nodes)}`,
    }))
}

/** Which nodes cannot, or why one that could may not. */
function whyNobody(nodes: readonly BelievedNode[]): string {
  const words = nodes.map((node) => `${node.node} (${flagWords(node)})`).join(', ')
  const able = nodes.filter((node) => meaningsOf(node).every(({ state }) => state !== 'error'))
  if (nodes.length === 0) return 'the state of the nodes is not known'
  if (able.length === 0) return `no node can: ${words}`
  return `of the nodes ${words} none has it in its public_addresses with an interface that has a link`
}
