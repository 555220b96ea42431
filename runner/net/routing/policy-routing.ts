import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { FAMILIES, familyOf, type Family } from '../../inet/address.ts'
import { FileError } from '../../machine/errors.ts'
import { pick } from '../address/interfaces.ts'
import { networkOf, networkText } from '../../inet/network.ts'
import { refuseProblems } from '../address/public-addresses.ts'
import { applyChanges, type Failure } from './apply.ts'
import { parseRoutingFile, type Route, type RoutingFile } from './routes-file.ts'
import { lookForAll, thoseHere, withoutAddress } from './addresses-here.ts'
import type { Hosted } from './hosted.ts'
import { lookAtRouting, NOTHING, type Look } from './kernel-routes.ts'
import { AUTO_LINK_LOCAL, type Routing } from './options.ts'
import { additions, ourRules, removals, whyNoGateway, type Change, type RoutedAddress } from './plan.ts'
import { tableIds, tableNames } from './tables.ts'
import { labelOf, type TableName } from './rt-tables.ts'

// ---------------------------------------------------------------- what is configured

/** The configured routes of all addresses; undefined for `__auto_link_local__`, which needs no file. */
async function readConf(node: Node, { conf }: Routing): Promise<RoutingFile | undefined> {
  if (conf === AUTO_LINK_LOCAL) return undefined
  const wanted = `error: CTDB_PER_IP_ROUTING_CONF=${conf} file`
  try {
    const text = await node.read(conf)
    return text === undefined
      ? refuse(`${wanted} not found: write it, or mend script.options`)
      : parseRoutingFile(text, conf)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return refuse(`${wanted} not readable: ${error.message}`)
  }
}

/** Refuse any bad line of the file: an admin should hear of it before a takeover needs the line. */
export async function checkConf(node: Node, routing: Routing): Promise<void> {
  const found = await readConf(node, routing)
  refuseProblems({ problems: (found?.bad ?? []).map(({ problem }) => problem) })
}

/**
 * The routes of these addresses. Bad lines for other addresses do not matter here. A line whose address cannot be read may
 * belong to any of them, and is refused.
 */
async function wantedFor(node: Node, routing: Routing, hosted: readonly Hosted[]): Promise<RoutedAddress[]> {
  if (hosted.length === 0) return []
  const found = await readConf(node, routing)
  const here = new Set(hosted.map(({ address }) => address))
  const bad = (found?.bad ?? []).filter(({ address }) => address === undefined || here.has(address))
  refuseProblems({ problems: bad.map(({ problem }) => problem) })
  return hosted.flatMap((each) => {
    const routes = found ? (found.routes.get(each.address) ?? []) : linkLocal(each)
    if (routes.length > 0) return [{ ...each, routes }]
    node.because(`${each.address} has no routes of its own: nothing is said of it in ${routing.conf}`)
    return []
  })
}

function linkLocal({ address, bits }: Hosted): Route[] {
  if (bits === undefined) return []
  const origin = `CTDB_PER_IP_ROUTING_CONF=${AUTO_LINK_LOCAL}`
  return [{ destination: networkText(networkOf(address, bits)), more: [], origin }]
}

// ---------------------------------------------------------------- bringing it about

/** Give an address that has come, or has moved, its table, its routes and its rule. */
export async function routeAddress(node: Node, routing: Routing, hosted: Hosted): Promise<void> {
  const wanted = await wantedFor(node, routing, [hosted])
  if (wanted.length === 0) return
  const family = familyOf(hosted.address)
  const seen = new Map([[family, await lookAtRouting(node, family)]])
  await bringAbout(node, routing, [hosted], wanted, seen, await tableNames(node), {
    force: false,
    concerns: (address) => address === hosted.address,
  })
}

/**
 * Bring rules and routes in line with the addresses on this node: missing ones are added, unwanted ones removed. `force`
 * adds all routes afresh.
 */
export async function routeAll(
  node: Node,
  routing: Routing,
  hosted: readonly Hosted[],
  force: boolean,
): Promise<void> {
  const wanted = await wantedFor(node, routing, hosted)
  const names = await tableNames(node)
  const seen = await lookForAll(node, routing, names, wanted)
  const here = await thoseHere(node, wanted, seen)
  const away = wanted.filter(({ address }) => !here.some((each) => each.address === address))
  await bringAbout(node, routing, hosted, here, seen, names, {
    force,
    // rules and routes of an address that is away for the moment do no harm
    concerns: (address) => !away.some((each) => each.address === address),
  })
}

function bitsOf(hosted: readonly Hosted[], address: string): number | undefined {
  return hosted.find((each) => each.address === address)?.bits
}

/**
 * 1. Check first: nothing is changed yet. An address whose gateway is out of reach keeps its present routing, and the
 *    others still get theirs.
 * 2. Find a table for each address.
 * 3. Make all changes of a family in one run of `ip`.
 * 4. Take everything from an address that was refused anything: half of its routes would send packets astray.
 */
async function bringAbout(
  node: Node,
  routing: Routing,
  hosted: readonly Hosted[],
  meant: readonly RoutedAddress[],
  seen: ReadonlyMap<Family, Look>,
  names: readonly TableName[],
  { force, concerns }: { force: boolean; concerns: (address: string) => boolean },
): Promise<void> {
  const sees = (family: Family) => seen.get(family) ?? NOTHING
  const far = new Map<string, string>()
  const near = meant.flatMap((each) => {
    const look = sees(familyOf(each.address))
    // an admin may say an altname; the kernel's routes never do
    const named = { ...each, iface: pick(look.links, each.iface)?.name ?? each.iface }
    const why = whyNoGateway(named, bitsOf(hosted, each.address), look)
    if (why === undefined) return [named]
    far.set(each.address, why)
    return []
  })
  const wanted = await withoutAddress(node, near)
  const ids = await tableIds(
    node,
    routing,
    names,
    wanted.map(({ address }) => address),
  )

  const problems = [...far.values()]
  for (const family of FAMILIES) {
    const surplus = removals(ids, sees(family), names, routing).filter(
      ({ address }) => concerns(address) && !far.has(address),
    )
    const missing = wanted
      .filter(({ address }) => familyOf(address) === family)
      .flatMap((each) => additions(each, idOf(ids, each), sees(family), names, routing, force) ?? [])
    for (const { address } of surplus)
      if (!ids.has(address))
        node.say(
          `Removing ip rule/routes for ${hosted.some((each) => each.address === address) ? '' : 'unhosted '}public address ${address}`,
        )
    const failures = await allOrNone(
      () => applyChanges(node, family, [...surplus, ...missing]),
      () => takeBack(node, family, routing, missing, ids),
    )
    warn(node, failures)
    const refused = failures.filter(({ change }) => change.kind === 'add')
    await takeBack(
      node,
      family,
      routing,
      refused.map(({ change }) => change),
      ids,
    )
    problems.push(...refused.map((failure) => inWords(failure, ids)))
  }
  refuseProblems({ problems })
}

function idOf(ids: ReadonlyMap<string, number>, { address }: { address: string }): number {
  const id = ids.get(address)
  if (id === undefined) throw new Error(`no table for ${address}`)
  return id
}

/** Undo all of the work when it ends with a Refusal: nobody knows how far it has come. */
async function allOrNone<T>(work: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) await undo()
    throw error
  }
}

/** Remove again what was added for these addresses. */
async function takeBack(
  node: Node,
  family: Family,
  { pref }: Routing,
  added: readonly Pick<Change, 'address'>[],
  ids: ReadonlyMap<string, number>,
): Promise<void> {
  const addresses = [...new Set(added.map(({ address }) => address))]
  const changes = addresses.map((address): Change => {
    const id = idOf(ids, { address })
    return {
      address,
      kind: 'remove',
      why: `${address}: taking back what was added`,
      lines: [
        { text: `rule del from ${address} pref ${pref} table ${id}`, kind: 'rule del' },
        { text: `route flush table ${id}`, kind: 'route flush' },
      ],
    }
  })
  warn(node, await applyChanges(node, family, changes, true))
}

/** The next ipreallocated tries a failed removal again; until then no client is served worse. */
function warn(node: Node, failures: readonly Failure[]): void {
  for (const { change, line, reason } of failures)
    if (change.kind === 'remove')
      node.say(
        `WARNING: Failed to delete policy routing ${line.kind === 'rule del' ? 'rule' : 'routes'} of ${change.address}: "ip ${line.text}": ${reason}`,
      )
}

function inWords({ change, line, reason }: Failure, ids: ReadonlyMap<string, number>): string {
  const { address } = change
  if (line.kind !== 'route add') return `add_routing_for_ip: failed to add rule for ${address}: ${reason}`
  const words = line.text
    .replace(/^route add /, '')
    .replace(/ table \d+$/, ` table ${labelOf(address)} (${ids.get(address)})`)
  return `${line.origin}: add_routing_for_ip: failed to add route: ${words}: ${reason}: ${address} is left without policy routing: mend that line`
}

// ---------------------------------------------------------------- taking it away

/** Remove the rule and the routes of an address that leaves. Its table keeps its number for the address's return. */
export async function unrouteAddress(node: Node, routing: Routing, address: string): Promise<void> {
  const family = familyOf(address)
  const seen = await lookAtRouting(node, family)
  const changes = removals(new Map(), seen, await tableNames(node), routing)
  const own = changes.filter((change) => change.address === address)
  if (own.length === 0) node.because(`${address} has neither rule nor routes of its own`)
  warn(node, await applyChanges(node, family, own))
}

/** Leftovers of addresses that are not among `hosted`, as the changes that would remove them. Changes nothing. */
export async function surplusRouting(
  node: Node,
  routing: Routing,
  hosted: readonly string[],
): Promise<Change[]> {
  const names = await tableNames(node)
  const ids = new Map(
    hosted.flatMap((address): [string, number][] => {
      const id = names.find(({ name }) => name === labelOf(address))?.id
      return id === undefined ? [] : [[address, id]]
    }),
  )
  const found: Change[] = []
  for (const family of FAMILIES)
    found.push(...removals(ids, await lookAtRouting(node, family), names, routing))
  return found.filter(({ address }) => !hosted.includes(address))
}

/** Remove all rules and routes of ours, for whatever address. */
export async function unrouteAll(node: Node, routing: Routing): Promise<void> {
  const names = await tableNames(node)
  for (const family of FAMILIES) {
    const seen = await lookAtRouting(node, family)
    for (const { address, table } of ourRules(seen, names, routing))
      node.say(`Removing ip rule for public address ${address} for routing table ${table}`)
    warn(node, await applyChanges(node, family, removals(new Map(), seen, names, routing)))
  }
}
