import type { Node } from '../../node/node.ts'
import { Refusal, refusalOr, refuse } from '../../base/refusal.ts'
import { announce, announceFromLo, prepareAnnouncement } from '../announce/announce.ts'
import { familyOf, hostBits } from '../../inet/address.ts'
import { duplicateCheck, waitForDad, type DadState } from '../dad/state.ts'
import { byPackets } from '../dad/wire.ts'
import { isNamed, type Held, type Link } from '../ip-json.ts'
import { interfaces, pick, whereIs } from '../address/interfaces.ts'
import { deleteAddress, tryAdd } from '../address/add-delete.ts'
import { keepOne, lvsRecord } from '../sysctl/kept.ts'
import { macWhenItComes, whoHas } from '../dad/address-owner.ts'
import { why } from '../answer.ts'
import { ARP_IGNORE, ARP_SILENT } from '../dad/arp-ignore.ts'

/** Every node has the address on this interface, so that it accepts the packets that the leader hands on. */
const SILENT_PLACE = 'lo'

/**
 * How often the leader tries to get the address past the duplicate check. The old leader lets go at the same moment, as
 * `ipreallocated` runs on all nodes at once. The kernel takes up to 2 s for each try.
 */
const TRIES = 3
/** Milliseconds to the next try where another host has answered at once. */
const HELD_MS = 1000

/**
 * Hold the address so that no other host can tell. An IPv4 host answers ARP for all its addresses, except those of scope
 * `host` with arp_ignore 3. An IPv6 host answers only for addresses on the asked interface, which is never lo.
 */
export async function keepSilent(node: Node, address: string): Promise<void> {
  const places = await lastingPlaces(node, address)
  if (familyOf(address) === 'inet') await silenceArp(node)
  for (const held of places) if (!isSilent(held, address)) await deleteAddress(node, held)
  if (!places.some((held) => isSilent(held, address))) await add(node, address, SILENT_PLACE, 'host')
}

/** Does this node hold the address so that no other host can tell? Whether its sysctls are right is not looked at. */
export async function isKeptSilent(node: Node, address: string): Promise<boolean> {
  const places = await ourPlaces(node, address)
  return places.length > 0 && places.every((held) => isSilent(held, address) && isLasting(held))
}

/** Is this place on lo, and for IPv4 of the scope that does not answer? */
function isSilent({ iface, scope, bits }: Held, address: string): boolean {
  const hidden = familyOf(address) === 'inet6' || scope === 'host'
  return iface === SILENT_PLACE && bits === hostBits(address) && hidden
}

/** No answers for addresses of scope `host` (3), no questions in the name of an address of another interface (2). */
export const SILENT_SYSCTLS = [
  { path: ARP_IGNORE, value: ARP_SILENT },
  { path: '/proc/sys/net/ipv4/conf/all/arp_announce', value: 2 },
] as const

async function silenceArp(node: Node): Promise<void> {
  for (const { path, value } of SILENT_SYSCTLS) await keepOne(node, lvsRecord(node), path, value)
}

/**
 * From now on this node answers for the address, and announces it. Gives the reason when that is impossible, or rejects with
 * a Refusal; the address may then be nowhere.
 */
export async function goOnWire(node: Node, address: string, iface: string): Promise<string | undefined> {
  const link = pick(await interfaces(node), iface)
  if (!link) return `there is no interface ${iface}: mend CTDB_LVS_PUBLIC_IFACE`
  const ipv4 = familyOf(address) === 'inet'
  const wrong = ipv4 ? await showOnLo(node, address) : await addToLink(node, address, link)
  if (wrong === undefined) await (ipv4 ? announceFromLo : announce)(node, address, link)
  return wrong
}

/** Does this node answer for the address? */
export async function isOnWire(node: Node, address: string, iface: string): Promise<boolean> {
  const places = (await ourPlaces(node, address)).filter(isLasting)
  return familyOf(address) === 'inet'
    ? places.some((held) => held.iface === SILENT_PLACE && held.scope !== 'host')
    : places.some((held) => isNamed(held, iface) && held.state === 'ready')
}

/** Milliseconds after its first answer in which a new leader announces the address; 100 to 200 on an idle machine. */
const ANNOUNCED_MS = 1000

/**
 * Wait until the new leader answers for the address and has announced it: at most 3 s for IPv4, and 4 s for IPv6, whose
 * duplicate check takes up to 2 s. Not longer: a late event is expensive.
 */
export async function untilAnnounced(node: Node, address: string, iface: string): Promise<void> {
  try {
    const mac = await macWhenItComes(node, { address, iface })
    node.because(mac === undefined ? `nobody answers for ${address} yet` : `${mac} answers for ${address}`)
    if (mac !== undefined) await node.wait(ANNOUNCED_MS)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    node.because(`whether the new leader answers cannot be asked: ${error.message}`)
  }
}

/** Give the address another scope. The kernel cannot change it: the address goes and comes back. */
async function showOnLo(node: Node, address: string): Promise<string | undefined> {
  const places = await lastingPlaces(node, address)
  const shown = (held: Held) => held.iface === SILENT_PLACE && held.scope !== 'host'
  for (const held of places) if (!shown(held)) await deleteAddress(node, held)
  if (!places.some(shown)) await add(node, address, SILENT_PLACE, 'global')
  return undefined
}

/** For IPv6 every node has the address on lo, and the leader on the interface as well, where other hosts ask for it. */
async function addToLink(node: Node, address: string, link: Link): Promise<string | undefined> {
  const places = await lastingPlaces(node, address)
  if (!places.some(({ iface }) => iface === SILENT_PLACE)) await add(node, address, SILENT_PLACE, 'global')
  // CTDB_LVS_PUBLIC_IFACE may have changed
  for (const held of places)
    if (![SILENT_PLACE, link.name].includes(held.iface)) await deleteAddress(node, held)
  const here = places.filter(({ iface }) => iface === link.name)
  if (here.some(({ state }) => state === 'ready')) return undefined
  for (const held of here) await deleteAddress(node, held)
  await prepareAnnouncement(node, address, link)
  const limit = await duplicateCheck(node, link.name)
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const state = await tryOnLink(node, address, link.name, limit)
    if (state === 'ready') return undefined
    node.because(`${address} on ${link.name} is ${state}, ${tries} of ${TRIES} tries`)
    if (state !== 'duplicate') return `the duplicate check on ${link.name} did not end: has it a link?`
  }
  const rival = await whoHas(node, { address, iface: link.name })
  return `another host has it (dadfailed): ${rival}: take it away there`
}

/**
 * Add the address and wait for its check; it is taken away again unless the check ends well. The wire is asked before: the
 * address is on lo, and a reverse-path filter keeps the answers of a host that has it from the kernel.
 */
async function tryOnLink(node: Node, address: string, iface: string, limit: number): Promise<DadState> {
  if (typeof (await byPackets(node, { address, iface }, 1)) === 'object') {
    await node.wait(HELD_MS)
    return 'duplicate'
  }
  await add(node, address, iface, 'global')
  const state = await waitForDad(node, { address, iface }, { limit })
  if (state !== 'ready') await deleteAddress(node, { iface, address, bits: hostBits(address) })
  return state
}

/** Remove the address from this node. All places are tried before a failure is refused. */
export async function leaveWire(node: Node, address: string): Promise<void> {
  const failures: string[] = []
  for (const held of await ourPlaces(node, address)) {
    const wrong = await refusalOr(() => deleteAddress(node, held))
    if (wrong !== undefined) failures.push(wrong)
  }
  if (failures.length > 0) refuse(failures.join('\n'))
}

/**
 * The places of the address with a host prefix, as only LVS puts it. With another prefix the address is the node's own,
 * named in the options by mistake: `setup` and `startup` report that, and the address stays.
 */
async function ourPlaces(node: Node, address: string): Promise<Held[]> {
  return (await whereIs(node, address)).filter(({ bits }) => bits === hostBits(address))
}

/** The places where the address stays. Where it would go by itself after some time, it is deleted: it is added anew. */
async function lastingPlaces(node: Node, address: string): Promise<Held[]> {
  const places = await ourPlaces(node, address)
  for (const held of places) if (!isLasting(held)) await deleteAddress(node, held)
  return places.filter(isLasting)
}

const isLasting = ({ validFor }: Held) => validFor === undefined

/** An IPv6 address with no preferred time is never chosen as the source of the node's own connections. */
async function add(node: Node, address: string, iface: string, scope: 'host' | 'global'): Promise<void> {
  const words = familyOf(address) === 'inet' ? ['scope', scope] : ['preferred_lft', '0']
  const added = await tryAdd(node, { address, bits: hostBits(address), iface }, words)
  if (added.status === 0) return
  if ((await whereIs(node, address)).some((held) => held.iface === iface)) return
  refuse(`Failed to add ${address}/${hostBits(address)} on dev ${iface}: ${why(added)}`)
}
