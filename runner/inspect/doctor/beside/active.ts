import type { Door } from '../../../machine/machine.ts'

/** Milliseconds for `systemctl`, which waits for systemd. */
const WITHIN = 5000
/** The exit statuses of `systemctl is-active` for a unit that does not run, and for one that is not there. */
const NOT_ACTIVE = [3, 4]

/**
 * Does that service run? Without an answer of systemd it counts as running. Asked before a program of the service is: that
 * program may start the service, or wait for it for ten seconds.
 */
export async function isActive(door: Door, service: string): Promise<boolean> {
  const { status } = await door.ask({ within: WITHIN })`systemctl is-active --quiet ${service}.service`
  return !NOT_ACTIVE.includes(status)
}
