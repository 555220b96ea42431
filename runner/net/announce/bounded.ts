import { Interrupted } from '../../machine/errors.ts'
import { altered, type System } from '../../machine/machine.ts'
import type { LiveOptions } from '../../machine/live/live.ts'

/** Programs at once: hundreds of addresses may be announced, each by two programs that stay for a second. */
const MOST = 64
/** Milliseconds for a program: each needs a second or less. */
const LIMIT_MS = 10_000

/**
 * The machine for background work, where no event's deadline ends a program that hangs: so many programs at once, and each is ended
 * after its time, and has failed.
 */
export function bounded(live: (options: LiveOptions) => System): System {
  const limited = (more = 0) => live({ signal: AbortSignal.timeout(LIMIT_MS + more) })
  const turn = places(MOST)
  const run: System['run'] = async (verb, argv, options) => {
    const leave = await turn()
    try {
      return await limited().run(verb, argv, options)
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
      return { status: 124, out: '', err: `${argv[0]} did not end within ${LIMIT_MS / 1000} s\n` }
    } finally {
      leave()
    }
  }
  return altered(live({}), {
    run,
    hold: (lock, seconds, how) => limited(seconds * 1000).hold(lock, seconds, how),
  })
}

/** A place for `most` callers at once; each resolves to the function that gives the place to the next in line. */
function places(most: number): () => Promise<() => void> {
  const queue: (() => void)[] = []
  let taken = 0
  const leave = () => {
    const next = queue.shift()
    if (next) next()
    else taken -= 1
  }
  return async () => {
    if (taken >= most) await new Promise<void>((resolve) => queue.push(resolve))
    else taken += 1
    return leave
  }
}
