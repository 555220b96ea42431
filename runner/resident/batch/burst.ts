/**
 * What is asked for at about the same time is done in one go: all that has come until the event loop has gone round is
 * one burst, and what comes while a burst is being worked on is the next. So nobody waits for company, and a hundred
 * events that come together find each other.
 */
export function burst<Item, Result>(
  perform: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  let waiting: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = []
  let busy = false

  function next(): void {
    if (busy || waiting.length === 0) return
    busy = true
    setImmediate(() => void work())
  }

  async function work(): Promise<void> {
    const mine = waiting
    waiting = []
    try {
      const results = await perform(mine.map(({ item }) => item))
      mine.forEach(({ resolve }, i) => resolve(results[i] as Result))
    } catch (error) {
      for (const { reject } of mine) reject(error)
    } finally {
      busy = false
      next()
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      next()
    })
}

/** The same question of several: asked once, for all who ask before it is put; `askers` has each one's own words. */
export function shared<Result>(
  ask: (argv: readonly string[], askers: readonly (readonly string[])[]) => Promise<Result>,
): (argv: readonly string[]) => Promise<Result> {
  const asking = new Map<string, (argv: readonly string[]) => Promise<Result>>()
  return async (argv) => {
    const key = argv.join('\0')
    const known =
      asking.get(key) ??
      burst<readonly string[], Result>(async (all) => {
        const answer = await ask(argv, all)
        return all.map(() => answer)
      })
    asking.set(key, known)
    try {
      return await known(argv)
    } finally {
      asking.delete(key)
    }
  }
}
