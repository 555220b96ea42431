/**
 * `ADDRESS INTERFACE [watch|silent|seized|on-lo]`: look after an address that was taken (`lookAfter`);
 * `ADDRESS,ADDRESS… INTERFACE again`: addresses that are where they were, one after the other; `parked`: try what is parked
 * again (`keepTrying`). In a process of its own, started in the background by takeip, updateip and monitor, so that
 * no event waits for it: one process for all addresses of the node. `NN.name.script --announce …` and dist/announce.cjs are this.
 */
import { visible } from '../base/visible.ts'
import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import { factsHere, type Facts } from '../node/facts.ts'
import { keepdirOf, vardirOf } from '../node/ctdb-path.ts'
import { asTheOnlyOne } from '../net/announce/only-one.ts'
import { bounded } from '../net/announce/bounded.ts'
import { concede, lookAfter, type Means, type Taken } from '../net/announce/after-event.ts'
import { isOfOptimistic, roundsOf } from '../net/announce/when.ts'
import { keepTrying } from '../net/dad/retry-parked.ts'
import { parkedFile } from '../net/dad/parked.ts'
import {
  ANNOUNCEMENT_FORMS,
  announcementFrom,
  announcerInbox,
  type Announcement,
  type Mode,
} from '../machine/announcement.ts'
import { doorTo, type Door } from '../machine/machine.ts'
import { LockBusy } from '../machine/errors.ts'
import { keepStatePrivate } from '../machine/files/readers.ts'
import { live } from '../machine/live/live.ts'
import { speakTo } from '../machine/remedy/remedy.ts'

/** As words of a command of the program `name`, which is started again by the words `self`. Sets the exit status. */
export async function announcer(
  name: string,
  self: Facts['announcer'],
  words: readonly string[],
): Promise<void> {
  try {
    const announcement = announcementFrom(words)
    if (!announcement) {
      process.stderr.write(`usage: ${ANNOUNCEMENT_FORMS.map((form) => `${name} ${form}`).join(', or ')}\n`)
      process.exitCode = 2
      return
    }
    const facts = factsHere(self)
    keepStatePrivate(keepdirOf(vardirOf(facts.env)))
    const means = meansOf(facts)
    await asTheOnlyOne(announcement, announcerInbox(keepdirOf(vardirOf(facts.env))), {
      door: means.door,
      perform: (each) => carryOn(each, means),
      say: means.say,
    })
    await means.allSaid()
  } catch (error) {
    process.stderr.write(`announce: ${visible(error instanceof Error ? error.message : String(error))}\n`)
    process.exitCode = 1
  }
}

interface OwnMeans extends Means {
  door: Door
  /** All lines are in the system's log. */
  allSaid: () => Promise<void>
}

/** Nobody reads our output any more when this runs, so what is said goes to the system's log as well, in order. */
function meansOf(facts: Facts): OwnMeans {
  const door = doorTo(bounded(live))
  speakTo(facts.reader)
  let said = Promise.resolve()
  const say = (text: string) => {
    const line = visible(text)
    process.stderr.write(`${line}\n`)
    said = log(door, line, said)
  }
  return { door, say, node: () => nodeOutsideEvents(door, facts, say), allSaid: () => said }
}

async function log(door: Door, line: string, before: Promise<void>): Promise<void> {
  await before
  if (await door.find('logger')) await door.change`logger -t eventscript -p daemon.warning ${line}`
}

async function carryOn(announcement: Announcement, means: OwnMeans): Promise<void> {
  switch (announcement.mode) {
    case 'parked':
      return await tryParked(means)
    case 'again':
      // one after the other: there may be hundreds, and nobody waits for it
      for (const address of announcement.addresses)
        await toItsEnd(address, announcement.iface, 'again', means)
      return
    default:
      return await toItsEnd(announcement.address, announcement.iface, announcement.mode, means)
  }
}

async function toItsEnd(address: string, iface: string, mode: Mode, means: OwnMeans): Promise<void> {
  const taken = { address, iface, onLo: mode === 'on-lo', isOptimistic: isOfOptimistic(mode) }
  const outcome = await lookAfter(means.door, taken, roundsOf(mode), means)
  if (outcome === 'seized') await lookAfter(means.door, { address, iface }, roundsOf('seized'), means)
  if (outcome === 'parked') await tryParked(means)
}

/** Seconds to wait for one who may just be ending; one who goes on sees what was parked meanwhile. */
const LOCK_SECONDS = 2

async function tryParked(means: OwnMeans): Promise<void> {
  const { door } = means
  const announce = (address: string, iface: string) =>
    lookAfter(door, { address, iface }, roundsOf('usual'), means)
  const conceded = async (taken: Taken) => {
    if ((await concede(await means.node(), taken)) === 'seized')
      await lookAfter(door, taken, roundsOf('seized'), means)
  }
  try {
    await door.hold(`${parkedFile((await means.node()).settings.keepdir)}.watch`, LOCK_SECONDS, () =>
      keepTrying(means.node, { sleep: (ms) => door.wait(ms), announce, concede: conceded }),
    )
  } catch (error) {
    if (!(error instanceof LockBusy)) throw error
  }
}
