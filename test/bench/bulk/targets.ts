/** Our targets of issue 5. */
import { OURS, OURS_FAST, OURS_OFF } from './contestants.ts'

export interface BulkTarget {
  task: string
  contestant: string
  size: number
  /** Seconds. */
  most: number
}

export const TARGETS: readonly BulkTarget[] = [
  { task: 'takeip IPv4', contestant: OURS, size: 250, most: 0.15 },
  { task: 'releaseip IPv4', contestant: OURS, size: 250, most: 0.3 },
  { task: 'takeip IPv6', contestant: OURS, size: 60, most: 2.3 },
  { task: 'takeip IPv6', contestant: OURS, size: 1000, most: 4 },
  { task: 'takeip IPv6', contestant: OURS_FAST, size: 60, most: 0.5 },
  { task: 'announced IPv4', contestant: OURS, size: 250, most: 0.5 },
  { task: 'announced IPv6', contestant: OURS_FAST, size: 250, most: 0.5 },
  // The target is keepalived's time, and keepalived looks for no duplicates either.
  { task: 'announced IPv6', contestant: OURS_OFF, size: 250, most: 0.5 },
]

/** Linear growth: four times as many addresses take at most four times as long, within this tolerance. */
export const LINEAR = 1.2
