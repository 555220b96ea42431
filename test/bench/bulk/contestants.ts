/** Who moves many addresses at once, and what is said of how it went. */
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

/** One burst. Times in milliseconds from the sending of the first request. */
export interface Outcome {
  /** Until the last reply, or until the last address is up where nobody replies. */
  ms: number
  ok: number
  failed: number
  timedOut: number
  /** Given up by us after LIMIT_MS. */
  unanswered: number
  /** Until each was announced once; undefined when not all were, or when that is not looked at. */
  wire?: number
  /** How many were announced. */
  announced?: number
}

export interface BulkContestant {
  name: string
  /** What it is asked for at most; undefined when it has no such thing. */
  most: (task: BulkTask) => number | undefined
  /** The process that stays, with its children. */
  pid?: number
  /** Its state is put back already: addresses there for releaseip, none for takeip. */
  burst: (task: BulkTask, addresses: readonly string[]) => Promise<Outcome>
  /** It takes its addresses away by itself at the end of the burst. */
  tidies?: boolean
  /** Files of its own that say which addresses there are. */
  configure?: (task: BulkTask, addresses: readonly string[]) => void
  close?: () => Promise<void>
}

export const OURS = 'ours, resident'
export const OURS_FAST = 'ours, DAD fast'
/** As keepalived: nobody looks for a duplicate. */
export const OURS_OFF = 'ours, DAD off'
export const STOCK = "CTDB's daemon"
export const KEEPALIVED = 'keepalived'
export const BATCH = 'ip -batch'
export const KERNEL_DAD = 'ip -batch, DAD'

/** A burst that takes longer than this is given up. Stock's own limit is 30 s. */
export const LIMIT_MS = 40_000
/** Milliseconds to wait for announcements after the last reply. */
export const ANNOUNCE_MS = 8000
