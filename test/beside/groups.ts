/** The programs beside us, each in the set-ups that make a difference, and the commands that are tried in each. */
import { BY_HAND_GROUPS } from './by-hand.ts'
import { FIREWALLS } from './firewalls.ts'
import type { Group } from './group.ts'
import { NETWORKD_GROUPS } from './networkd.ts'
import { NETWORK_MANAGER_GROUPS } from './network-manager.ts'

/** In the order of the table. */
export const GROUPS: readonly Group[] = [
  ...BY_HAND_GROUPS,
  ...NETWORKD_GROUPS,
  ...FIREWALLS,
  ...NETWORK_MANAGER_GROUPS,
]
