/** A fault that an audit finds: what was seen, what was expected, and the repair. */
import type { Misplaced } from '../addresses.ts'
import { blockingRule, type Block } from '../../net/clients/blocking-rule.ts'
import { additionLine, deletionLine, type Placement } from '../../net/address/placement.ts'
import { promoteSecondaries } from '../../net/sysctl/sysctl.ts'
import { toShell } from '../../machine/argv.ts'
import type { Column } from '../../format/table.ts'

export type FaultKind =
  | Misplaced
  | 'node-flag'
  | 'unassigned'
  | 'parked'
  | 'unloaded'
  | 'expiring'
  | 'drop-rule'
  | 'ip-rule'
  | 'routing-missing'
  | 'own-secondary'
  | 'ipv6-source'
  | 'port'
  | 'route-source'
  | 'promote-secondaries'
  | 'nonlocal-bind'
  | 'arp-ignore'
  | 'arp-filter'
  | 'rp-filter'

/** An error is wrong now. A warning is a weakness: the next change may go wrong. */
export interface Fault {
  state: 'error' | 'warning'
  kind: FaultKind
  /** The address, interface or sysctl in question. */
  subject: string
  seen: string
  expected: string
  /** Undefined where the repair needs knowledge that this node does not have. */
  repair?: Repair
}

/** The work of a repair; `commandOf` gives the command that an admin would type for it. */
export type Repair =
  /** An event, run by the handlers as under CTDB. */
  | {
      kind: 'event'
      event: 'takeip' | 'releaseip' | 'ipreallocated'
      words: readonly string[]
      only?: string
    }
  /** Remove a rule of ours, under the lock that CTDB's scripts take. */
  | { kind: 'unblock'; block: Block; lock: string }
  | { kind: 'write'; path: string; value: number }
  /** Delete these IPv4 addresses and add them again, one after the other: they come behind all others of their subnet. */
  | { kind: 'behind'; held: readonly Placement[] }

/** Seconds that a pasted command waits for the lock. */
const LOCK_SECONDS = 10

/** A repair as one line for a shell. `events` is the folder of handlers, where that is not our own. */
export function commandOf(repair: Repair, events?: string): string {
  switch (repair.kind) {
    case 'event': {
      const folder = events === undefined ? [] : ['--events', events]
      const only = repair.only === undefined ? [] : ['--only', repair.only]
      return toShell(['eventscript', 'run', ...folder, ...only, repair.event, ...repair.words])
    }
    case 'unblock':
      return toShell(['flock', '-w', String(LOCK_SECONDS), repair.lock, ...blockingRule(repair.block, '-D')])
    case 'write':
      return `echo ${repair.value} >${repair.path}`
    case 'behind':
      return repair.held.map(behindCommand).join(' && ')
  }
}

/** The kernel is to promote the others: it would delete them otherwise. */
function behindCommand(held: Placement): string {
  const del = toShell(['ip', ...deletionLine(held)])
  const add = toShell(['ip', ...additionLine(held, [], { subnetBroadcast: true })])
  return `echo 1 >${promoteSecondaries(held.iface)} && ${del} && ${add}`
}

/** Are these the same fault, seen at two looks? */
export function isSame(one: Fault, other: Fault): boolean {
  return one.kind === other.kind && one.subject === other.subject && one.seen === other.seen
}

export function faultColumns(events?: string): readonly Column<Fault>[] {
  return [
    { name: 'State', field: 'state', value: ({ state }) => state },
    { name: 'Kind', field: 'kind', value: ({ kind }) => kind },
    { name: 'Subject', field: 'subject', value: ({ subject }) => subject },
    { name: 'Seen', field: 'seen', value: ({ seen }) => seen },
    { name: 'Expected', field: 'expected', value: ({ expected }) => expected },
    { name: 'Repair', field: 'repair', value: ({ repair }) => repair && commandOf(repair, events) },
  ]
}
