import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { busyBoxIn, withoutUsage } from '../../machine/busybox.ts'
import type { Capability } from '../../machine/capabilities.ts'
import type { Answer } from '../../machine/machine.ts'
import { packageOf, toBeAllowed } from '../../machine/remedy.ts'
import { isNamed, parseLinks, type Held, type Link } from '../ip-json.ts'

/** Every place where the kernel has this address: usually one, none, or after a mishap several. */
export async function whereIs(node: Node, address: string): Promise<Held[]> {
  const answer = await node.ask`ip -json addr show to ${address}`
  return linksOf(answer).flatMap((link) => link.addresses.filter((held) => held.address === address))
}

/** All interfaces with all their addresses. */
export async function interfaces(node: Node): Promise<readonly Link[]> {
  return linksOf(await node.ask`ip -json addr show`)
}

/** All interfaces with what they are built on. No addresses. */
export async function linksInDetail(node: Node, assume?: (out: string) => string): Promise<readonly Link[]> {
  return linksOf(await node.ask({ assume })`ip -json -details link show`)
}

/** Out of those, the interface that the caller means; undefined when there is none. */
export function pick(links: readonly Link[], name: string): Link | undefined {
  return links.find((link) => isNamed(link, name))
}

function linksOf(answer: Answer): readonly Link[] {
  refuseFailed(answer, 'addresses')
  return parseLinks(answer.out)
}

/** Refuse when `ip -json` could not show `what`. */
export function refuseFailed(answer: Answer, what: string): void {
  const busyBox = busyBoxIn(answer.err)
  if (busyBox) refuse(`ip: ${busyBox}: expected iproute2 4.14 or later: ${packageOf('ip')}`)
  if (/-json" is unknown/.test(answer.err))
    refuse('ip is too old: it does not know -json: install iproute2 4.14 or newer')
  if (answer.status !== 0) refuse(`ip cannot show the ${what}: ${why(answer)}`)
}

/** What a program gave as reason, in one line; with what to do where it is the usual one, for want of a capability. */
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

/** Of whoever may not change addresses. */
export function noPrivilege(): string {
  return `no privilege to change addresses (CAP_NET_ADMIN): ${toBeAllowed('CAP_NET_ADMIN')}`
}

/** Refuse before anything is touched, rather than fail in the middle. */
export function mustBePrivileged(node: Node): void {
  if (!node.settings.privileged) refuse(noPrivilege())
}
