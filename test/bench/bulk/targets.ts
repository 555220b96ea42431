/** What issue 5 wants of us. */
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
  // measured by keepalived's figure, which looks for no duplicates either
  { task: 'announced IPv6', contestant: OURS_OFF, size: 250, most: 0.5 },
]

/** Linear growth: four times as many take at most four times as long, give or take this. */
export const LINEAR = 1.2
