/**
 * An event by hand may contradict ctdbd, which goes on as if nothing had happened: two nodes then have one address, or none.
 * Events that ctdbd starts, and the repairs of `audit --fix`, never come here.
 */
import { refuse } from '../../base/refusal.ts'
import type { Entry } from '../../engine/find-handlers.ts'
import { signOfLife } from '../../eventd/process/ctdbd-life.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import { believedAddresses, numberHere, orReason } from '../../net/ctdb/daemon-view.ts'
import type { AddressEvent, Event } from '../../node/events.ts'
import type { Facts } from '../../node/facts.ts'
import { PUBLIC_ADDRESSES } from '../../node/handler-names.ts'
import type { Node } from '../../node/node.ts'

/** ctdbd's answer on one address. */
export interface Believed {
  /** This node's number. */
  own: number
  /** The node that hosts the address; -1 or undefined: none that ctdbd knows of. */
  host: number | undefined
}

/** What each event does to an address of which ctdbd does not expect that. */
const TAKES = ['takeip', 'updateip']
const RELEASES = ['releaseip']
const DROPS_ALL = ['init', 'shutdown']

/** Seconds for the ctdb tool: longer than a busy ctdbd takes to answer. */
const LIMIT = 5

/**
 * Refuses an event that ctdbd would not have started: an address that is another node's is taken, or this node's is
 * released, or every address goes while ctdbd is alive. A ctdbd that is alive and does not answer is refused as well. A dead
 * ctdbd has told no other node's address to anybody: the event runs, and `complain` hears what is not known.
 */
export async function mustNotContradict(
  { name, args }: Event,
  entries: readonly Entry[],
  facts: Facts,
  complain: (line: string) => void,
): Promise<void> {
  const holds = entries.some((entry) => entry.name === PUBLIC_ADDRESSES && entry.kind !== 'unusable')
  // without privilege the handlers change nothing, and say so
  if (!holds || !facts.privileged) return
  if (DROPS_ALL.includes(name)) return await mustBeDead(name)
  if (![...TAKES, ...RELEASES].includes(name)) return
  const { address } = args as AddressEvent
  const believed = await orReason(nodeHere(facts, LIMIT).then((node) => believedOf(node, address)))
  if (typeof believed !== 'string') {
    const why = contradiction(name, believed)
    return why === undefined ? undefined : refused(`${name} ${address}: ${why}`)
  }
  const sign = await signOfLife()
  if (sign !== undefined)
    refused(
      `${name} ${address}: ctdbd is alive (${sign}), and does not say which node has ${address}: ${believed}: expected an answer: see "eventscript doctor"`,
    )
  complain(
    `WARNING: ${name} ${address}: ctdbd is not running here: whether another node has ${address} is not known`,
  )
}

/** Why an event for an address is not what ctdbd believes; undefined when it may be. */
export function contradiction(event: string, { own, host }: Believed): string | undefined {
  if (TAKES.includes(event) && host !== undefined && host >= 0 && host !== own)
    return `ctdbd has this address on node ${host}, and this is node ${own}: two nodes would answer for it: "ctdb moveip" moves an address`
  if (RELEASES.includes(event) && host === own)
    return `ctdbd has this address here, on node ${own}, and would go on as if it were: no node would answer for it: "ctdb moveip" moves an address`
  return undefined
}

async function believedOf(node: Node, address: string): Promise<Believed> {
  const own = await numberHere(node)
  const all = await believedAddresses(node, true)
  return { own, host: all.find((each) => each.address === address)?.node }
}

async function mustBeDead(event: string): Promise<void> {
  const sign = await signOfLife()
  if (sign === undefined) return
  refused(
    `${event}: ctdbd is alive (${sign}), and would go on as if its addresses were here: every public address would leave this node: "ctdb shutdown" stops a node, "ctdb disable" moves its addresses`,
  )
}

function refused(sentence: string): never {
  refuse(`${sentence}; "--dry-run" shows what would be done, "--force" does it all the same`)
}
