/** Deleting an IPv4 address where the kernel would take others of its subnet along, and nobody can tell it not to. */
import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import type { Answer } from '../../machine/machine.ts'
import { announceAgain } from '../background.ts'
import { parseLinks } from '../ip-json.ts'
import { lockedIfPossible } from '../locked.ts'
import { interfaces } from './interfaces.ts'
import { releasableAddresses, type Releasable } from './public-addresses.ts'
import {
  BATCH,
  batchFor,
  batchText,
  failedIn,
  putBackBy,
  siblingsOf,
  type Line,
  type Sibling,
} from './siblings.ts'
import { promoteSecondaries, readNumber, tryWrite } from '../sysctl/sysctl.ts'
import { why } from '../answer.ts'
import { deletionLine, type Placement } from './placement.ts'

/** Does the kernel promote another address of the subnet, by itself or because we have told it to? */
export async function promotes(node: Node, iface: string): Promise<boolean> {
  const own = promoteSecondaries(iface)
  if ((await node.read(own))?.trim() === '1' || (await tryWrite(node, own, '1\n'))) return true
  // either of the two is enough
  return ((await readNumber(node, promoteSecondaries('all'))) ?? 0) > 0
}

/**
 * Delete an address, and put the others of its subnet back in the same batch. Those that are `going` too are deleted with
 * it. No other process of ours deletes meanwhile: the addresses that are put back are those that the look has shown. (In
 * the event daemon, where events delete at once, one batch does this for all of them, by a look of its own.)
 */
export async function deleteGuarded(node: Node, held: Placement, going: readonly string[]): Promise<void> {
  const { iface } = held
  const lock = `${node.settings.vardir}/secondaries.flock`
  await lockedIfPossible(node, lock, 'addresses are deleted without it', async () => {
    const look = await node.ask({ batch: 'ip' })`ip -json addr show dev ${iface}`
    const isSeen = look.status === 0
    if (!isSeen)
      node.say(`WARNING: the addresses on ${iface} that go with ${held.address} cannot be seen: ${why(look)}`)
    const shown = isSeen ? look.out : '[]'
    const all = siblingsOf([deletionLine(held)], shown)
    const siblings = all.filter(({ address }) => !going.includes(address))
    const others = all.filter((each) => !siblings.includes(each)).toReversed()
    const addresses = [...others, held]
    if (siblings.length > 0) node.say(warning(held, siblings))
    const lines = batchFor(addresses.map(deletionLine), siblings)
    const done = await node.change({
      batch: 'ip',
      input: batchText(lines),
      removes: { addresses },
    })`${BATCH}`
    if (done.status !== 0) await refuseUnlessDone(node, held, lines, done)
    await announcePublic(node, siblings, iface, shown)
  })
}

function warning({ address, iface }: Placement, siblings: readonly Sibling[]): string {
  const [are, them] = siblings.length === 1 ? ['goes', 'is'] : ['go', 'are']
  return `WARNING: cannot set ${promoteSecondaries(iface)}: ${namesOf(siblings)} ${are} from ${iface} with ${address} and ${them} put back at once: "sysctl -w net.ipv4.conf.all.promote_secondaries=1" on the host keeps the kernel from it`
}

/** The first three of many. */
function namesOf(siblings: readonly Sibling[]): string {
  const names = siblings.map(({ address }) => address)
  if (names.length > 3) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  return names.join(', ').replace(/, (?!.*, )/, ' and ')
}

/** Refuse for each line that failed and whose effect is missing: another process may have brought that about. */
async function refuseUnlessDone(
  node: Node,
  { address, bits, iface }: Placement,
  lines: readonly Line[],
  done: Answer,
): Promise<void> {
  const here = (await interfaces(node)).flatMap((link) => link.addresses)
  const isHere = (name: string) =>
    here.some((held) => held.iface === iface && `${held.address}/${held.bits}` === name)
  const name = `${address}/${bits}`
  if (isHere(name)) refuse(`Failed to del ${name} on dev ${iface}: ${why(done)}`)
  const lost = new Map(failedIn(done.err, lines).map((line) => [putBackBy(line), `"ip ${line}"`]))
  const names = [...lost.keys()].filter((each) => each !== undefined && !isHere(each))
  if (names.length === 0) return
  const commands = names.map((each) => lost.get(each)).join(', ')
  refuse(
    `Failed to put ${names.join(', ')} back on dev ${iface}, gone with ${name}: ${why(done)}: ${commands}`,
  )
}

/** Siblings have not moved: the network is told once of the public ones. The host's own addresses are not ours to announce. */
async function announcePublic(
  node: Node,
  siblings: readonly Sibling[],
  iface: string,
  shown: string,
): Promise<void> {
  if (siblings.length === 0) return
  const known = await knownPublic(node)
  const addresses = siblings.flatMap(({ address }) => (known?.addresses.has(address) ? [address] : []))
  const link = parseLinks(shown).find(({ name }) => name === iface)
  if (link && addresses.length > 0) await announceAgain(node, addresses, link)
}

/** The deletion is done by now: a list that cannot be read costs no more than the announcement. */
async function knownPublic(node: Node): Promise<Releasable | undefined> {
  try {
    return await releasableAddresses(node)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
