import { Stopper } from '../machine/stop.ts'
import type { Entry } from './find-handlers.ts'
import type { HandlerReport } from './report.ts'
import type { World } from './world.ts'

/** Run an entry in its turn, unless the event's time, in milliseconds, is up before. */
export async function inTurn(
  entry: Entry,
  world: World,
  ms: number,
  run: (waited: number) => Promise<HandlerReport>,
): Promise<HandlerReport> {
  if (!world.turn || entry.kind !== 'script') return await run(0)
  const clock = new Stopper()
  const began = performance.now()
  const turn = world.turn(clock)
  const stop = () => clock.abort('its turn did not come in time')
  const timer = Number.isFinite(ms) ? setTimeout(stop, ms) : undefined
  world.interrupt?.addEventListener('abort', stop)
  // the interrupt may have fired already
  if (world.interrupt?.aborted) stop()
  const leave = await turn
  clearTimeout(timer)
  world.interrupt?.removeEventListener('abort', stop)
  try {
    // without a turn the time of the entry is up, if only by the clock of a timer
    return await run(leave || world.interrupt?.aborted ? performance.now() - began : Infinity)
  } finally {
    leave?.()
  }
}
