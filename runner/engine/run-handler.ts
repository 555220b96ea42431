import type { Event } from '../node/events.ts'
import { nodeBehind, type Node } from '../node/node.ts'
import { loadSettings, RELEASE_MS } from '../node/settings.ts'
import { altered, doorTo, type System } from '../machine/machine.ts'
import { Interrupted } from '../machine/errors.ts'
import type { Stop } from '../machine/stop.ts'
import { meaningOf } from './exit-status.ts'
import { actOf, type Entry } from './find-handlers.ts'
import { HandlerClock } from './handler-clock.ts'
import { endAfter } from './handler-end.ts'
import type { End, HandlerReport } from './report.ts'
import type { HandlerTime } from './time-left.ts'
import type { World } from './world.ts'

/** Events that let go of addresses: nothing that cannot be read may keep them here. */
const RELEASING: ReadonlySet<string> = new Set(['releaseip', 'shutdown'])

type Voice = Pick<Node, 'say' | 'because'>

/** Run one handler to its end or to its deadline. Never rejects for a handler's fault. */
export async function runHandler(
  entry: Entry,
  event: Event,
  world: World,
  time: HandlerTime,
): Promise<HandlerReport> {
  const began = new Date()
  const start = performance.now()
  const output: string[] = []
  world.note?.({ verb: 'handler', name: entry.name })
  const clock = new HandlerClock(time, world, () => world.late?.(entry.name, began))
  const end = await performInTime(entry, event, world, clock, voiceOf(world, output))
  world.note?.({ verb: 'end', ...end })
  return { name: entry.name, began: began.toISOString(), ms: performance.now() - start, output, ...end }
}

/** Lines go to `output`, and to those who hear the notes. */
function voiceOf(world: World, output: string[]): Voice {
  return {
    say(line) {
      output.push(...line.split('\n'))
      world.note?.({ verb: 'say', text: line })
    },
    because: (reason) => world.note?.({ verb: 'because', text: reason }),
  }
}

async function performInTime(
  entry: Entry,
  event: Event,
  world: World,
  clock: HandlerClock,
  voice: Voice,
): Promise<End> {
  try {
    return await Promise.race([perform(entry, event, world, clock.stop, voice), clock.overdue])
  } catch (error) {
    if (error instanceof Interrupted) sayAll(error.output, voice.say)
    return endAfter(error, clock.stop)
  } finally {
    clock.cancel()
  }
}

async function perform(entry: Entry, event: Event, world: World, stop: Stop, voice: Voice): Promise<End> {
  if (entry.kind === 'unusable')
    return { outcome: entry.disabled ? 'disabled' : 'cannot-run', why: entry.why }
  const machine = world.system(stop, entry)
  const system = RELEASING.has(event.name) ? hasty(machine) : machine
  if (entry.kind === 'script') {
    const end = await performScript(entry.path, event, system, voice.say)
    return entry.unknown === undefined ? end : { outcome: 'not-run', why: entry.unknown }
  }
  const handler = await entry.load()
  const act = actOf(handler, event.name)
  if (!act) return { outcome: 'ok' }
  const door = doorTo(system)
  const settings = await loadSettings(door, world.facts, entry.name, { release: RELEASING.has(event.name) })
  for (const warning of settings.warnings) voice.say(warning)
  await act.call(handler, nodeBehind(door, settings, voice), event.args)
  return { outcome: 'ok' }
}

/** The same machine, on which no file is waited for longer than a release can. */
function hasty(system: System): System {
  return altered(system, { read: (path, how) => system.read(path, { within: RELEASE_MS, ...how }) })
}

async function performScript(path: string, event: Event, system: System, say: Voice['say']): Promise<End> {
  const { status, signal, out } = await system.run('change', [path, event.name, ...event.words], {
    combined: true,
  })
  sayAll(out, say)
  return meaningOf(path, status, signal)
}

function sayAll(output: string, say: Voice['say']): void {
  for (const line of output.split('\n')) if (line !== '') say(line)
}
