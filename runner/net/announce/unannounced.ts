/** What was not announced, in words for the log. Pure. */
import type { Taken } from './after-event.ts'

/** Names in one line. A failover may move hundreds of addresses. */
const MOST = 3

/** `10.0.0.1 on eth0, 10.0.0.2 on eth0, 10.0.0.3 on eth0 and 57 more`, each once. */
export function namesOf(all: readonly Pick<Taken, 'address' | 'iface'>[]): string {
  const names = [...new Set(all.map(({ address, iface }) => `${address} on ${iface}`))]
  const more = names.length > MOST ? ` and ${names.length - MOST} more` : ''
  return `${names.slice(0, MOST).join(', ')}${more}`
}

export interface Unannounced extends Pick<Taken, 'address' | 'iface'> {
  reason: string
}

/** `NAMES: REASON` for each reason. */
export function byReason(all: readonly Unannounced[]): string[] {
  const reasons = [...new Set(all.map(({ reason }) => reason))]
  return reasons.map((reason) => `${namesOf(all.filter((each) => each.reason === reason))}: ${reason}`)
}
