/** What an audit of this node's addresses finds: what is, what should be, and what makes it so. */
import type { Misplaced } from '../addresses.ts'
import type { Block } from '../../net/clients/firewall.ts'
import { blockingRule } from '../../net/clients/firewall.ts'
import { toShell } from '../../machine/argv.ts'
import type { Column } from '../../format/table.ts'

export type Kind =
  | Misplaced
  | 'parked'
  | 'unloaded'
  | 'drop-rule'
  | 'ip-rule'
  | 'promote-secondaries'
  | 'nonlocal-bind'
  | 'arp-ignore'
  | 'arp-filter'
  | 'rp-filter'

/** An error is wrong now; a warning is a weakness, by which the next change may go wrong. */
export interface Fault {
  state: 'error' | 'warning'
  kind: Kind
  /** The address, interface or sysctl in question. */
  subject: string
  seen: string
  expected: string
  /** None where only somebody can mend it who knows more than this node does. */
  repair?: Repair
}

/** What a repair does; `commandOf` is what one would type for the same. */
export type Repair =
  /** An event for an address, done by the handlers as CTDB has it done. */
  | { kind: 'event'; event: 'takeip' | 'releaseip'; words: readonly string[]; only?: string }
  /** A rule of ours goes, under the lock that CTDB's scripts take. */
  | { kind: 'unblock'; block: Block; lock: string }
  | { kind: 'write'; path: string; value: number }

/** Seconds that a pasted command waits for the lock. */
const LOCK_SECONDS = 10

/** A repair as one line for a shell; `events` is a folder of handlers that is not our own. */
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
  }
}

/** The same fault at two looks. */
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
