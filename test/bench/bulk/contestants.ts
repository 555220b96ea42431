/** The contestants that move many addresses at once, and the report of each burst. */
import type { Family } from './addresses.ts'

export interface BulkTask {
  name: string
  event: 'takeip' | 'releaseip'
  family: Family
}

export const TASKS: readonly BulkTask[] = [
  { name: 'takeip IPv4', event: 'takeip', family: 'IPv4' },
  { name: 'releaseip IPv4', event: 'releaseip', family: 'IPv4' },
  { name: 'takeip IPv6', event: 'takeip', family: 'IPv6' },
]

export const SIZES = [1, 60, 250, 1000] as const

/** A single burst. Times are in milliseconds from the sending of the first request. */
export interface Outcome {
  /** Until the last reply, or until the last address is up where no program replies. */
  ms: number
  ok: number
  failed: number
  timedOut: number
  /** The bench gave up after LIMIT_MS. */
  unanswered: number
  /**
   * Until each address was announced once. Undefined when some were not announced, or when announcements are not
   * watched.
   */
  wire?: number
  /** The number of announced addresses. */
  announced?: number
}

export interface BulkContestant {
  name: string
  /** The largest number of requested addresses. Undefined when the contestant has no such request. */
  most: (task: BulkTask) => number | undefined
  /** The process that stays, with its children. */
  pid?: number
  /** The state is already put back: the addresses are present for releaseip, and absent for takeip. */
  burst: (task: BulkTask, addresses: readonly string[]) => Promise<Outcome>
  /** The contestant removes its addresses by itself at the end of the burst. */
  tidies?: boolean
  /** Files of the contestant that list the present addresses. */
  configure?: (task: BulkTask, addresses: readonly string[]) => void
  close?: () => Promise<void>
}

export const OURS = 'ours, resident'
export const OURS_FAST = 'ours, DAD fast'
/** As with keepalived, no program looks for a duplicate. */
export const OURS_OFF = 'ours, DAD off'
export const STOCK = "CTDB's daemon"
export const KEEPALIVED = 'keepalived'
export const BATCH = 'ip -batch'
export const KERNEL_DAD = 'ip -batch, DAD'

/** A burst that takes longer is given up. The limit of the stock script is 30 s. */
export const LIMIT_MS = 40_000
/** Milliseconds to wait for announcements after the last reply. */
export const ANNOUNCE_MS = 8000
