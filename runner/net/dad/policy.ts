/**
 * EVENTSCRIPT_DAD: one object for each word says all that the word means. Whoever adds, watches or announces an address
 * asks the address's policy, and compares no words.
 */
import type { Node } from '../../node/node.ts'
import type { Settings } from '../../node/settings.ts'
import type { OptionValue } from '../../node/options.ts'
import { familyOf } from '../../inet/address.ts'
import type { Wish } from '../sysctl/record.ts'
import type { DadState } from './state.ts'

export interface DadPolicy {
  /** The word for `ip addr add`. */
  flag: readonly string[]
  /** What the sysctls of the interface should be while the address is checked. */
  sysctls: (iface: string, settings: Settings) => Wish[]
  /** The states in which the address can be used. */
  usable: readonly DadState[]
  /** When that is, in words; `seconds` is the longest that the check can take. */
  whenUsable: (seconds: number) => string
  /** The check outlasts the event: somebody watches how it ends. */
  watched: boolean
}

/** The kernel's own check, with the kernel's own times. */
const standard: DadPolicy = {
  flag: [],
  sysctls: () => [],
  usable: ['ready'],
  whenUsable: (seconds) => `when its duplicate check is over, in ${seconds} s at most`,
  watched: false,
}

/** The kernel's check with short times. A slower check than the admin's own is never asked for. */
const fast: DadPolicy = {
  ...standard,
  sysctls: (iface, settings) => [
    { path: `/proc/sys/net/ipv6/conf/${iface}/router_solicitation_delay`, value: 0, most: true },
    // 0 is an admin who wants no check on this interface
    {
      path: `/proc/sys/net/ipv6/conf/${iface}/dad_transmits`,
      value: settings.option('EVENTSCRIPT_DAD_PROBES'),
      unless: 0,
    },
    {
      path: `/proc/sys/net/ipv6/neigh/${iface}/retrans_time_ms`,
      value: settings.option('EVENTSCRIPT_DAD_INTERVAL_MS'),
      most: true,
    },
  ],
  whenUsable: (seconds) => `when its duplicate check, with short times, is over, in ${seconds} s at most`,
}

/** RFC 4429: the address is used while it is checked. */
const optimistic: DadPolicy = {
  flag: ['optimistic'],
  // only asked for when an address is added, but without it the kernel takes no notice of the flag
  sysctls: (iface) => [{ path: `/proc/sys/net/ipv6/conf/${iface}/optimistic_dad`, value: 1 }],
  usable: ['ready', 'optimistic'],
  whenUsable: () => 'at once, while its duplicate check goes on: it is watched',
  watched: true,
}

/** No check. */
const off: DadPolicy = {
  ...standard,
  flag: ['nodad'],
  whenUsable: () => 'at once, without a duplicate check',
}

const POLICIES: Record<ReturnType<OptionValue<'EVENTSCRIPT_DAD'>['of']>, DadPolicy> = {
  default: standard,
  fast,
  optimistic,
  off,
}

/** For an address that this node held a moment ago, or that it is to have although another host has it. */
export const NO_CHECK = off

/** The policy of an address. The kernel checks no IPv4 address: there is nothing to ask of it. */
export function dadPolicy({ settings }: Pick<Node, 'settings'>, address: string): DadPolicy {
  return familyOf(address) === 'inet' ? standard : POLICIES[settings.option('EVENTSCRIPT_DAD').of(address)]
}
