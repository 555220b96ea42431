/** The kernel's interfaces and addresses, as `ip -json` shows them. */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Answer } from '../../machine/machine.ts'
import { refuseFailed } from '../answer.ts'
import { isNamed, parseLinks, type Held, type Link } from '../ip-json.ts'

/** Every place where the kernel has this address: usually one, none, or after a mishap several. */
export async function whereIs(node: Node, address: string): Promise<Held[]> {
  const answer = await node.ask({ batch: 'ip' })`ip -json addr show to ${address}`
  return placesIn(linksOf(answer), address)
}

/** All interfaces with all their addresses. */
export async function interfaces(node: Node): Promise<readonly Link[]> {
  return linksOf(await node.ask({ batch: 'ip' })`ip -json addr show`)
}

/** Out of all interfaces, every place of this address. */
export function placesIn(links: readonly Link[], address: string): Held[] {
  return links.flatMap((link) => link.addresses.filter((held) => held.address === address))
}

/**
 * All interfaces with the devices that they are built on. No addresses. Where the details of some device make the answer
 * unreadable, without details: a VLAN is then judged by its own carrier, and a bond like any other device.
 */
export async function linksInDetail(node: Node, assume?: (out: string) => string): Promise<readonly Link[]> {
  let answer: Answer | undefined
  try {
    answer = await node.ask({ assume })`ip -json -details link show`
    return linksOf(answer)
  } catch (error) {
    const isUnreadable = error instanceof Refusal && answer?.status === 0
    if (!isUnreadable) throw error
    node.because(`${error.message}: asking again without details`)
    return linksOf(await node.ask({ assume })`ip -json link show`)
  }
}

/** The interface that the caller means, by its name or an altname; undefined when there is none. */
export function pick(links: readonly Link[], name: string): Link | undefined {
  return links.find((link) => isNamed(link, name))
}

function linksOf(answer: Answer): readonly Link[] {
  refuseFailed(answer, 'addresses')
  return parseLinks(answer.out)
}
