/** The audit of this node's addresses: compares public_addresses, the daemon's view and the kernel. */
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeOutsideEvents } from '../../node/node-outside-events.ts'
import { addressRows, type AddressesSeen, type AddressRow } from '../addresses.ts'
import { withHiddenTrouble } from '../hidden-trouble.ts'
import type { Facts } from '../../node/facts.ts'
import { POLICY_ROUTING } from '../../node/handler-names.ts'
import type { Node } from '../../node/node.ts'
import { believedNodes, orReason } from '../../net/ctdb/daemon-view.ts'
import { programFor, type Block } from '../../net/clients/blocking-rule.ts'
import { blocksNow, firewallLock } from '../../net/clients/firewall.ts'
import { otherBlocks } from '../../net/clients/other-tables.ts'
import { rows as parseRows, type Held, type Link } from '../../net/ip-json.ts'
import { interfaces } from '../../net/address/interfaces.ts'
import { neighbourOf } from '../../inet/network.ts'
import { surplusRouting } from '../../net/routing/take-away.ts'
import { policyRouting } from '../../net/routing/names/options.ts'
import type { Change } from '../../net/routing/plan/change.ts'
import { readNumber } from '../../net/sysctl/sysctl.ts'
import { LockBusy } from '../../machine/errors.ts'
import { addressFaults } from './addresses.ts'
import { flagFaults, unassignedFaults } from './cluster.ts'
import { hiddenFaults } from './hidden-trouble.ts'
import { isSame, type Fault } from './fault.ts'
import { filterFaults, toTrace } from './filters.ts'
import { missingRouting } from './missing-routing.ts'
import { primaryFaults } from './primary.ts'
import { rivalsOf } from './rivals.ts'
import { blockFaults, routingFaults } from './rules.ts'
import { sourceFaults } from './source.ts'
import { sysctlFaults, sysctlsOf } from './sysctls.ts'

export interface Audited {
  rows: AddressRow[]
  own?: number
  faults: Fault[]
  /** What could not be looked at, a sentence each. */
  trouble: string[]
}

/** Milliseconds between the two looks. The recovery daemon looks every second: a running failover has moved on by then. */
const AGAIN = 1500

/**
 * Look, and look again when something is wrong. Only faults of both looks count: an address on the move is wrong at one
 * look only, or wrong in two ways. `folder` is that of our handlers.
 */
export async function audit(node: Node, facts: Facts, folder: string): Promise<Audited> {
  const first = await once(node, facts, folder, false)
  if (first.faults.length === 0) return first
  await sleep(AGAIN)
  const second = await once(node, facts, folder, true)
  const lasts = (fault: Fault) => first.faults.some((each) => isSame(each, fault))
  return { ...second, faults: second.faults.filter(lasts) }
}

async function once(node: Node, facts: Facts, folder: string, sure: boolean): Promise<Audited> {
  const seen = await addressRows(node, true)
  const { rows, own, silent, problems } = seen
  const trouble = [...problems, ...(silent === undefined ? [] : [silentTrouble(silent)])]
  const told = <T>(answer: T | string, none: T): T => {
    if (typeof answer !== 'string') return answer
    trouble.push(answer)
    return none
  }
  // without ctdbd the reason is the same
  const nodes = silent === undefined ? told(await orReason(believedNodes(node)), []) : []
  const links = await interfaces(node)
  const values = new Map<string, number | undefined>()
  for (const path of sysctlsOf(rows)) values.set(path, await readNumber(node, path))
  const blocks = told(await orReason(blocksOf(node, rows, sure)), [])
  const surplus = told(await orReason(surplusOf(node, facts, seen)), [])
  const hidden = told(await orReason(withHiddenTrouble(node, rows)), [])
  const missing = told(await orReason(missingRouting(node, facts, folder)), [])
  const value = (path: string) => values.get(path)
  const leaving = new Map<string, string>()
  for (const held of toTrace(rows, value)) {
    const iface = await wayOut(node, held, links)
    if (iface !== undefined) leaving.set(held.address, iface)
  }
  // not at the first look: the fault may be gone at the second
  const rivals = sure ? await rivalsOf(node, rows, own) : new Map<string, string>()
  const faults = [
    ...flagFaults(nodes),
    ...sysctlFaults(rows, links, value),
    ...filterFaults(rows, leaving, value),
    ...blockFaults(rows, links, blocks, firewallLock(node)),
    ...routingFaults(rows, surplus),
    ...addressFaults(rows, own, rivals),
    ...unassignedFaults(rows, nodes),
    ...hiddenFaults(hidden),
    // addresses come first: their repair may bring the routes along
    ...missing,
    // without the daemon's view no address is touched
    ...(own === undefined ? [] : [...primaryFaults(rows, links), ...sourceFaults(rows, node)]),
  ]
  return { rows, ...(own === undefined ? {} : { own }), faults, trouble }
}

/** The interface by which an address answers a neighbour in its subnet; undefined without a neighbour or a route. */
async function wayOut(
  node: Node,
  { address, bits }: Held,
  links: readonly Link[],
): Promise<string | undefined> {
  const own = links.flatMap(({ addresses }) => addresses.map((held) => held.address))
  const neighbour = neighbourOf(address, bits, own)
  if (neighbour === undefined) return undefined
  const { status, out } = await node.ask`ip -json route get ${neighbour} from ${address}`
  if (status !== 0) return undefined
  const dev = parseRows(out, 'routes')[0]?.['dev']
  return typeof dev === 'string' && dev !== 'lo' ? dev : undefined
}

const silentTrouble = (silent: string) =>
  `${silent}: where the addresses should be is not known: faults that depend on that are neither judged nor repaired`

/**
 * The blocking rules of the families in use. To be `sure` that a rule is left over, the look happens under the lock of the
 * firewall: our releaseip holds that lock as long as it needs its rule.
 */
async function blocksOf(
  node: Node,
  rows: readonly AddressRow[],
  sure: boolean,
): Promise<readonly Block[] | string> {
  const found: Block[] = []
  for (const program of new Set(rows.map(({ address }) => programFor(address)))) {
    const blocks = await blocksNow(node, program)
    if (blocks === undefined)
      return `${program} not found in PATH: whether a rule blocks an address is not known`
    // a kernel without that table has no such rule
    if (typeof blocks === 'string' && !/Table does not exist|not supported/.test(blocks)) return blocks
    if (typeof blocks !== 'string') found.push(...blocks)
    const others = await otherBlocks(node, program)
    if (typeof others === 'string') return others
    found.push(...others)
  }
  if (!sure || found.length === 0) return found
  try {
    return await node.hold(firewallLock(node), 1, () => blocksOf(node, rows, false))
  } catch (error) {
    if (error instanceof LockBusy) return []
    throw error
  }
}

/** Routing of addresses that the daemon knows to be elsewhere. A daemon that knows no address does no failover. */
async function surplusOf(node: Node, facts: Facts, { rows, own }: AddressesSeen): Promise<Change[]> {
  if (own === undefined || !rows.some(({ believed }) => believed)) return []
  const there = await nodeOutsideEvents(node, facts, node.say, POLICY_ROUTING)
  const routing = policyRouting(there)
  if (!routing) return []
  const hosted = rows.filter(({ believed }) => believed?.node === own).map(({ address }) => address)
  return await surplusRouting(there, routing, hosted)
}
