import type { Node } from '../node/node.ts'
import { refuse } from '../base/refusal.ts'
import { toBeAllowed } from '../machine/remedy/remedy.ts'

/** The sentence for a process that may not change addresses. */
export function noPrivilege(): string {
  return `no privilege to change addresses (CAP_NET_ADMIN): ${toBeAllowed('CAP_NET_ADMIN')}`
}

/** Refuse before anything is touched: a failure in the middle leaves half of the work done. */
export function mustBePrivileged(node: Node): void {
  if (!node.settings.privileged) refuse(noPrivilege())
}
