import { setTimeout as sleep } from 'node:timers/promises'
import type { Until } from '../machine/options.ts'

interface Watcher {
  until: Until
  last: number
  resolve: (text: string | undefined) => void
  reject: (error: unknown) => void
}

/** One look at a file for all who wait for it to change. */
export class WatchedFile {
  readonly #look: () => Promise<string | undefined>
  #watchers: Watcher[] = []
  #isLooking = false

  constructor(look: () => Promise<string | undefined>) {
    this.#look = look
  }

  wait(until: Until): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#watchers.push({ until, last: performance.now() + until.limit, resolve, reject })
      if (!this.#isLooking) void this.#watch()
    })
  }

  async #watch(): Promise<void> {
    this.#isLooking = true
    while (this.#watchers.length > 0) {
      try {
        this.#tell(await this.#look())
      } catch (error) {
        for (const { reject } of this.#watchers.splice(0)) reject(error)
      }
      if (this.#watchers.length > 0) await sleep(Math.min(...this.#watchers.map(({ until }) => until.every)))
    }
    this.#isLooking = false
  }

  #tell(text: string | undefined): void {
    const now = performance.now()
    const isOver = ({ until, last }: Watcher) => text === undefined || until.wanted(text) || now > last
    const over = this.#watchers.filter(isOver)
    this.#watchers = this.#watchers.filter((each) => !over.includes(each))
    for (const { resolve } of over) resolve(text)
  }
}
