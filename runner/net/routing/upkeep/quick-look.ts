/**
 * One program for a look at both families. A run of `ip` shows the rules of one family alone: whether those of IPv6 are there
 * is seen by the tables that packets from their addresses take.
 */
import type { Node } from '../../../node/node.ts'
import { FAMILIES, familyOf, type Family } from '../../../inet/address.ts'
import { middleOf, parseNetwork } from '../../../inet/network.ts'
import { lookAndTry, partOf, type Look } from '../kernel/kernel-routes.ts'
import type { KernelRoute, SourceRule } from '../kernel/shown-routes.ts'
import type { Routing } from '../names/options.ts'
import { OUR_PROTOCOL } from '../names/protocols.ts'
import { labelOf, type TableName } from '../names/rt-tables.ts'
import { idOf } from '../names/tables.ts'
import type { RoutedAddress } from '../wanted/routes-file.ts'

export interface QuickLook {
  /** The families of the wanted addresses. */
  looks: ReadonlyMap<Family, Look>
  /**
   * The rules of IPv6 are those that work, as we would have added them. Good enough to see that nothing is missing, and for
   * no change.
   */
  isGuess: boolean
}

export async function quickLook(
  node: Node,
  { pref }: Routing,
  names: readonly TableName[],
  wanted: readonly RoutedAddress[],
): Promise<QuickLook> {
  const six = wanted.filter(({ address }) => familyOf(address) === 'inet6')
  const { look, routes } = await lookAndTry(node, six.flatMap(wayOut))
  const rules = six.flatMap(({ address }) => workingRule(address, pref, routes, names))
  const of = (family: Family): Look => ({ ...partOf(look, family), ...(family === 'inet6' ? { rules } : {}) })
  const concerned = FAMILIES.filter((family) => wanted.some(({ address }) => familyOf(address) === family))
  return { looks: new Map(concerned.map((family) => [family, of(family)])), isGuess: six.length > 0 }
}

/** Asks for the entry of a table, which names the table, rather than for the answer of the kernel's cache (`fibmatch`). */
function wayOut({ address, routes }: RoutedAddress): string[] {
  const [middle] = routes.flatMap(({ destination }) => {
    const network = parseNetwork(destination, 'inet6')
    return typeof network === 'string' ? [] : (middleOf(network) ?? [])
  })
  return middle === undefined ? [] : [`route get fibmatch ${middle} from ${address}`]
}

/** The rule of an address whose packets take a route of ours in its table. */
function workingRule(
  address: string,
  pref: number,
  taken: readonly KernelRoute[],
  names: readonly TableName[],
): SourceRule[] {
  const id = idOf(labelOf(address), names)
  const route = taken.find(({ table, protocol }) => protocol === OUR_PROTOCOL && idOf(table, names) === id)
  return route && id !== undefined ? [{ pref, address, table: String(id), protocol: OUR_PROTOCOL }] : []
}
