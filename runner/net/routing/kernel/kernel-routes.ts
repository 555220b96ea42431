import type { Node } from '../../../node/node.ts'
import { Refusal } from '../../../base/refusal.ts'
import type { Answer } from '../../../machine/machine.ts'
import { familyOf, hostBits, type Family } from '../../../inet/address.ts'
import { parseLinks, type Link } from '../../ip-json.ts'
import { OLDEST_IP } from '../../oldest-ip.ts'
import { namesOfMark, withMark } from '../names/protocols.ts'
import { refuseFailed } from '../../answer.ts'
import { parseRoutes, parseRules, type KernelRoute, type Rules } from './shown-routes.ts'

export interface Seen extends Rules {
  routes: KernelRoute[]
}

/** The result of one look. */
export interface Look extends Seen {
  /** Without their addresses. */
  links: readonly Link[]
  /** The rules were not looked at. */
  isWithoutRules?: boolean
}

/** An empty look: also the result on a kernel without that family. */
export const NOTHING: Look = { rules: [], others: [], routes: [], links: [] }

/** For `ip -batch`. Links come last: after them `ip` shows no addresses any more in the same run. */
const INPUT = 'rule show\nroute show table all\nlink show\n'
/** The lines that `ip` prints for them. */
const LOOKS = 3

/** Rules and routes of one family, and the interfaces, in one look. */
export async function lookAtRouting(node: Node, family: Family): Promise<Look> {
  const answer = await node.ask({ input: INPUT })`ip -json ${optionOf(family)} -batch -`
  return isUnknownFamily(answer) ? NOTHING : await seenIn(node, answer, family)
}

/** The routes of both families and the rules of IPv4. The rules of IPv6 need an `ip` of their own. */
export async function lookAtAll(node: Node): Promise<Look> {
  return await seenIn(node, await node.ask({ input: INPUT })`ip -json -batch -`)
}

/**
 * The same, and the routes that the kernel gives for `tries`, lines such as `route get …` for the batch. The first that has
 * no route ends them, as `ip` fails then.
 */
export async function lookAndTry(
  node: Node,
  tries: readonly string[],
): Promise<{ look: Look; routes: KernelRoute[] }> {
  const input = `${INPUT}${tries.map((line) => `${line}\n`).join('')}`
  const answer = await node.ask({ input })`ip -json -batch -`
  const lines = answer.out.split('\n').filter((line) => line.trim() !== '')
  const hasLooked = lines.length >= LOOKS
  const out = lines.slice(0, LOOKS).join('\n')
  const look = await seenIn(node, { ...answer, status: hasLooked ? 0 : answer.status, out })
  return { look, routes: lines.slice(LOOKS).flatMap((line) => parseRoutes(line, 'inet6')) }
}

/** The rules of IPv6. */
export async function lookAtRules6(node: Node): Promise<Rules> {
  const answer = await node.ask`ip -json -6 rule show`
  if (isUnknownFamily(answer)) return NOTHING
  refuseFailed(answer, 'rules')
  const found = parseRules(answer.out)
  return { ...found, rules: withMark(found.rules, await namesOfMark(node, found.rules)) }
}

function isUnknownFamily({ err }: Answer): boolean {
  return /not supported/i.test(err)
}

async function seenIn(node: Node, answer: Answer, family?: Family): Promise<Look> {
  refuseFailed(answer, 'rules and routes')
  const { out } = answer
  const [rules, routes, links, ...more] = out.split('\n').filter((line) => line.trim() !== '')
  if (rules === undefined || routes === undefined || links === undefined || more.length > 0)
    throw new Refusal(
      `ip -json printed ${JSON.stringify(out.slice(0, 60))}: expected 3 lines, a list each: check "ip -V" (${OLDEST_IP.text} or newer)`,
    )
  const found = { ...parseRules(rules), routes: parseRoutes(routes, family) }
  const names = await namesOfMark(node, [...found.rules, ...found.routes])
  return {
    rules: withMark(found.rules, names),
    others: found.others,
    routes: withMark(found.routes, names),
    links: parseLinks(links),
  }
}

/** The interfaces on which the kernel has an address; none while they are down. */
export function interfacesOf(address: string, { routes }: Pick<Look, 'routes'>): string[] {
  const destination = `${address}/${hostBits(address)}`
  return routes.flatMap((route) =>
    route.local && route.destination === destination && route.iface !== undefined ? [route.iface] : [],
  )
}

/** One family's part of a look at both. */
export function partOf({ rules, others, routes, links }: Look, family: Family): Look {
  return {
    rules: rules.filter(({ address }) => familyOf(address) === family),
    // the look at both has the rules of IPv4 alone
    others: family === 'inet' ? others : [],
    routes: routes.filter(({ destination }) => familyOf(destination) === family),
    links,
  }
}

export function optionOf(family: Family): '-4' | '-6' {
  return family === 'inet6' ? '-6' : '-4'
}
