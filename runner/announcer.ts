/**
 * `announce ADDRESS INTERFACE [watch|silent|seized|on-lo]`: look after an address that was taken, as `follow` has it;
 * `announce ADDRESS,ADDRESS… INTERFACE again`: addresses that are where they were, one after the other;
 * `announce parked`: try what is parked again, as `keepTrying` has it. In a process of its own, started in the background
 * by takeip, updateip and monitor, so that no event waits for it; also of use by hand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeOutsideEvents } from './background.ts'
import { factsHere } from './config.ts'
import { canonical } from './net/address.ts'
import { AGAIN, ON_LO, PARKED, ROUNDS, roundsOf, SEIZED, SILENT, WATCH } from './net/announce.ts'
import { follow, type Means, type Taken } from './net/follow.ts'
import { keepTrying } from './net/keeper.ts'
import { parkedFile } from './net/parked.ts'
import { doorTo } from './system/door.ts'
import { LockBusy } from './system/errors.ts'
import { live } from './system/live.ts'

const door = doorTo(live())
const facts = factsHere(process.argv[1] ?? '')

/** Nobody reads our output any more when this runs, so it goes to the system's log as well, in order. */
let said = Promise.resolve()
function say(line: string): void {
  process.stderr.write(`${line}\n`)
  said = log(line, said)
}

async function log(line: string, before: Promise<void>): Promise<void> {
  await before
  if (await door.find('logger')) await door.change`logger -t eventscript -p daemon.warning ${line}`
}

const means: Means = { say, sleep, node: () => nodeOutsideEvents(door, facts, say) }

async function lookAfter(taken: Taken, how: string | undefined): Promise<void> {
  const outcome = await follow(door, taken, roundsOf(how), means)
  if (outcome === 'seized') await follow(door, taken, roundsOf(SEIZED), means)
  if (outcome === 'parked') await tryParked()
}

/** One after the other: there may be hundreds, and nobody waits for it. */
async function tellAgain(addresses: readonly string[], iface: string): Promise<void> {
  for (const address of addresses) await lookAfter({ address, iface }, AGAIN)
}

/** Seconds to wait for one who may just be ending; one who goes on sees what was parked meanwhile. */
const LOCK_SECONDS = 2

async function tryParked(): Promise<void> {
  const announce = (address: string, iface: string) => follow(door, { address, iface }, ROUNDS, means)
  try {
    await door.hold(`${parkedFile((await means.node()).settings.keepdir)}.watch`, LOCK_SECONDS, () =>
      keepTrying(means.node, { sleep, announce }),
    )
  } catch (error) {
    if (!(error instanceof LockBusy)) throw error
  }
}

const USAGE = `usage: announce ADDRESS INTERFACE [${WATCH}|${SILENT}|${SEIZED}|${ON_LO}], announce ADDRESS,ADDRESS… INTERFACE ${AGAIN}, or announce ${PARKED}`

function workFor([first, iface, how]: readonly string[]): Promise<void> | undefined {
  if (first === PARKED && iface === undefined) return tryParked()
  const all = (first ?? '').split(',').flatMap((word) => canonical(word) ?? [])
  if (iface && how === AGAIN && all.length > 0) return tellAgain(all, iface)
  const address = canonical(first ?? '')
  if (!address || !iface || ![undefined, WATCH, SILENT, SEIZED, ON_LO].includes(how)) return undefined
  return lookAfter({ address, iface, onLo: how === ON_LO }, how)
}

const work = workFor(process.argv.slice(2))
if (work)
  work
    .then(() => said)
    .catch((error: unknown) => {
      process.stderr.write(`announce: ${error instanceof Error ? error.message : String(error)}\n`)
      process.exitCode = 1
    })
else {
  process.stderr.write(`${USAGE}\n`)
  process.exitCode = 2
}
