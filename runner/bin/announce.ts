/**
 * `ADDRESS INTERFACE [watch|silent|seized|on-lo]`: look after an address that was taken, as `follow` has it;
 * `ADDRESS,ADDRESS… INTERFACE again`: addresses that are where they were, one after the other; `parked`: try what is parked
 * again, as `keepTrying` has it. In a process of its own, started in the background by takeip, updateip and monitor, so that
 * no event waits for it. `NN.name.script --announce …` and dist/announce.cjs are this.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import { factsHere, type Facts } from '../node/settings.ts'
import { canonical } from '../inet/address.ts'
import { AGAIN, ON_LO, PARKED, ROUNDS, roundsOf, SEIZED, SILENT, WATCH } from '../net/announce/announce.ts'
import { follow, type Means, type Taken } from '../net/announce/after-event.ts'
import { keepTrying } from '../net/dad/retry-parked.ts'
import { parkedFile } from '../net/dad/parked.ts'
import { doorTo, type Door } from '../machine/machine.ts'
import { LockBusy } from '../machine/errors.ts'
import { live } from '../machine/live.ts'
import { speakTo } from '../machine/remedy.ts'

/** As words of a command of the program `name`, which is started again by the words `self`. Sets the exit status. */
export async function announcer(
  name: string,
  self: Facts['announcer'],
  words: readonly string[],
): Promise<void> {
  try {
    const means = meansOf(self)
    const work = workFor(words, means)
    if (!work) {
      process.stderr.write(`usage: ${USAGE.map((each) => `${name} ${each}`).join(', or ')}\n`)
      process.exitCode = 2
      return
    }
    await work
    await means.allSaid()
  } catch (error) {
    process.stderr.write(`announce: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

interface OwnMeans extends Means {
  door: Door
  /** All lines are in the system's log. */
  allSaid: () => Promise<void>
}

/** Nobody reads our output any more when this runs, so what is said goes to the system's log as well, in order. */
function meansOf(self: Facts['announcer']): OwnMeans {
  const door = doorTo(live())
  const facts = factsHere(self)
  speakTo(facts.reader)
  let said = Promise.resolve()
  const say = (line: string) => {
    process.stderr.write(`${line}\n`)
    said = log(door, line, said)
  }
  return { door, say, sleep, node: () => nodeOutsideEvents(door, facts, say), allSaid: () => said }
}

async function log(door: Door, line: string, before: Promise<void>): Promise<void> {
  await before
  if (await door.find('logger')) await door.change`logger -t eventscript -p daemon.warning ${line}`
}

async function lookAfter(taken: Taken, how: string | undefined, means: OwnMeans): Promise<void> {
  const { door } = means
  const outcome = await follow(door, taken, roundsOf(how), means)
  if (outcome === 'seized') await follow(door, taken, roundsOf(SEIZED), means)
  if (outcome === 'parked') await tryParked(means)
}

/** One after the other: there may be hundreds, and nobody waits for it. */
async function tellAgain(addresses: readonly string[], iface: string, means: OwnMeans): Promise<void> {
  for (const address of addresses) await lookAfter({ address, iface }, AGAIN, means)
}

/** Seconds to wait for one who may just be ending; one who goes on sees what was parked meanwhile. */
const LOCK_SECONDS = 2

async function tryParked(means: OwnMeans): Promise<void> {
  const { door } = means
  const announce = (address: string, iface: string) => follow(door, { address, iface }, ROUNDS, means)
  try {
    await door.hold(`${parkedFile((await means.node()).settings.keepdir)}.watch`, LOCK_SECONDS, () =>
      keepTrying(means.node, { sleep, announce }),
    )
  } catch (error) {
    if (!(error instanceof LockBusy)) throw error
  }
}

/** Each by itself behind the name of the program. */
const USAGE = [
  `ADDRESS INTERFACE [${WATCH}|${SILENT}|${SEIZED}|${ON_LO}]`,
  `ADDRESS,ADDRESS… INTERFACE ${AGAIN}`,
  PARKED,
]

function workFor([first, iface, how]: readonly string[], means: OwnMeans): Promise<void> | undefined {
  if (first === PARKED && iface === undefined) return tryParked(means)
  const all = (first ?? '').split(',').flatMap((word) => canonical(word) ?? [])
  if (iface && how === AGAIN && all.length > 0) return tellAgain(all, iface, means)
  const address = canonical(first ?? '')
  if (!address || !iface || ![undefined, WATCH, SILENT, SEIZED, ON_LO].includes(how)) return undefined
  return lookAfter({ address, iface, onLo: how === ON_LO }, how, means)
}
