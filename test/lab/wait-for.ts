import { setTimeout as sleep } from 'node:timers/promises'

/** Wait for a state of the machine. A state that never comes is the failure. */
export async function waitFor(
  what: string,
  probe: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  const last = performance.now() + seconds * 1000
  for (;;) {
    const began = performance.now()
    if (await probe()) return
    if (began > last) throw new Error(`waited ${seconds} s for ${what}`)
    // on a slow machine a look costs more than the pause: the awaited needs the processor too
    await sleep(Math.max(30, performance.now() - began))
  }
}
