/** What a program's answer says about its failure. */
import { refuse } from '../base/refusal.ts'
import { busyBoxIn, withoutUsage } from '../machine/remedy/busybox.ts'
import type { Capability } from '../machine/remedy/capabilities.ts'
import type { Answer } from '../machine/machine.ts'
import { packageOf, toBeAllowed } from '../machine/remedy/remedy.ts'
import { OLDEST_IP } from './oldest-ip.ts'

/** The reason that a program gave, in one line; for want of a capability, the usual one, with what to do. */
export function why({ status, err }: Answer, needed: Capability = 'CAP_NET_ADMIN'): string {
  const said = withoutUsage(err)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^Command failed|^\(null\)$/.test(line))
  const reason = [...new Set(said)].join('; ') || `exit status ${status}`
  return /not permitted|permission denied|must be root/i.test(reason)
    ? `${reason}: ${toBeAllowed(needed)}`
    : reason
}

/** Refuse when `ip -json` could not show `subject`. */
export function refuseFailed(answer: Answer, subject: string): void {
  const busyBox = busyBoxIn(answer.err)
  if (busyBox) refuse(`ip: ${busyBox}: expected ${OLDEST_IP.text} or later: ${packageOf('ip')}`)
  if (/-json" is unknown/.test(answer.err))
    refuse(`ip is too old: it does not know -json: install ${OLDEST_IP.text} or newer`)
  if (answer.status !== 0) refuse(`ip cannot show the ${subject}: ${why(answer)}`)
}
