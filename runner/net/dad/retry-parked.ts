/** Looks after parked addresses: each is tried on its interface again and again, until its rival is gone, and is then watched. */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { announces } from '../announces.ts'
import { silenceAgain } from './arp-ignore.ts'
import { letParkedGo } from './let-go.ts'
import { triedHere, type Parked, type Watched } from './parked.ts'
import { HiddenAnswer, unpark } from './unpark.ts'
import { askAgain, type Concede } from './watch.ts'

/** Milliseconds from one try to the next. A try asks the wire once: 60 addresses are 12 packets a second. */
const TRY_EVERY_MS = 5000
/** So many rounds pass without a try of an address that must leave lo to be tried: services cannot bind it meanwhile. */
const REST = 11

export interface Keeping {
  sleep: (ms: number) => Promise<unknown>
  /** Tell the network that the address is on that interface now. Not called where EVENTSCRIPT_ANNOUNCE is no. */
  announce: (address: string, iface: string) => void | Promise<unknown>
  /** Another host has an address that is on the wire here. */
  concede: Concede
  /** Our handler is still where CTDB looks; without it no event of ours would release what is taken here. Always, if not given. */
  isInPlace?: () => Promise<boolean>
}

/** Try until nothing is parked, or watched, any more. A failure of one address is reported, and a later round tries again. */
export async function keepTrying(
  nodeNow: () => Promise<Node>,
  { sleep, announce, concede, isInPlace = () => Promise.resolve(true) }: Keeping,
): Promise<void> {
  const moved: Promise<unknown>[] = []
  /** The failure of each address, reported once for as long as it is the same. */
  const said = new Map<string, string>()
  const resting = new Map<string, number>()
  const tryOne = async (node: Node, each: Parked) => {
    const rest = resting.get(each.address) ?? 0
    if (rest > 0) return void resting.set(each.address, rest - 1)
    try {
      const hasMoved = await unpark(node, each)
      if (hasMoved && announces(node)) moved.push(Promise.resolve(announce(each.address, each.iface)))
      said.delete(each.address)
    } catch (error) {
      if (error instanceof HiddenAnswer) resting.set(each.address, REST)
      report(node, said, each, `${each.address}, which is parked, cannot be tried again`, error)
    }
  }
  const askOnce = async (node: Node, each: Watched) => {
    try {
      await askAgain(node, each, concede)
    } catch (error) {
      report(node, said, each, `whether another host has ${each.address} cannot be asked`, error)
    }
  }
  for (;;) {
    const node = await nodeNow()
    const { parked, watched } = await triedHere(node)
    if (parked.length + watched.length === 0) break
    if (!(await isInPlace())) {
      const gone = await letParkedGo(node)
      if (gone.length > 0)
        node.say(`${gone.join(', ')}: no longer parked, and not on this node: our handler was uninstalled`)
      break
    }
    await silenceAgain(node, parked)
    await Promise.all([
      ...parked.map((each) => tryOne(node, each)),
      ...watched.map((each) => askOnce(node, each)),
    ])
    await sleep(TRY_EVERY_MS)
  }
  await Promise.all(moved)
}

function report(
  node: Node,
  said: Map<string, string>,
  { address }: Watched,
  failing: string,
  error: unknown,
): void {
  if (!(error instanceof Refusal)) throw error
  const line = `WARNING: ${failing}: ${error.message}`
  if (said.get(address) !== line) node.say(line)
  said.set(address, line)
}
