import type { System } from '../machine/machine.ts'
import type { Readers, ReadOptions, WriteOptions } from '../machine/options.ts'
import { burst } from './batch/burst.ts'
import type { KeptBack } from './locks/one-lock.ts'
import { WatchedFile } from './watch-file.ts'

type Disk = Pick<System, 'read' | 'write' | 'find'>

/**
 * Files, for many events at once: one look for all who wait for a file to change, one write for all who write it under one
 * lock, and one of a kind where only that it is written counts.
 */
export class Files implements Disk, KeptBack {
  readonly #disk: Disk
  /** Texts that wait for the end of a lock. */
  readonly #drafts = new Map<string, { lock: string; text: string; readers?: Readers }>()
  readonly #bells = new Map<string, (text: string) => Promise<void>>()
  readonly #glimpses = new Map<string, Promise<string | undefined>>()
  readonly #finds = new Map<string, Promise<string | undefined>>()
  readonly #watched = new Map<string, WatchedFile>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  read(path: string, { until }: ReadOptions = {}): Promise<string | undefined> {
    const draft = this.#drafts.get(path)
    if (draft) return Promise.resolve(draft.text)
    if (!until) return atThisMoment(this.#glimpses, path, () => this.#disk.read(path))
    const watched = this.#watched.get(path) ?? new WatchedFile(() => this.#disk.read(path))
    this.#watched.set(path, watched)
    return watched.wait(until)
  }

  find(program: string): Promise<string | undefined> {
    return atThisMoment(this.#finds, program, () => this.#disk.find(program))
  }

  write(path: string, text: string, { until, bell = false, readers }: WriteOptions = {}): Promise<void> {
    if (until !== undefined) {
      this.#drafts.set(path, { lock: until, text, readers })
      return Promise.resolve()
    }
    this.#glimpses.delete(path)
    return bell ? this.#ring(path, text) : this.#disk.write(path, text, { readers })
  }

  /** Does a text of this file wait for the end of a lock? */
  hasDraft(path: string): boolean {
    return this.#drafts.has(path)
  }

  /** Does a text wait for the end of this lock? */
  any(lock: string): boolean {
    return [...this.#drafts.values()].some((draft) => draft.lock === lock)
  }

  /** Rejects with what the disk says. */
  async putDown(lock: string): Promise<void> {
    const mine = [...this.#drafts].filter(([, draft]) => draft.lock === lock)
    for (const [path] of mine) this.#drafts.delete(path)
    for (const [path, { text, readers }] of mine) await this.write(path, text, { readers })
  }

  #ring(path: string, text: string): Promise<void> {
    const bell =
      this.#bells.get(path) ??
      burst<string, void>(async (texts) => {
        await this.#disk.write(path, texts[0] ?? '')
        return texts.map(() => {})
      })
    this.#bells.set(path, bell)
    return bell(text)
  }
}

/** Who looks for the same at the same moment sees the same. */
function atThisMoment(
  seen: Map<string, Promise<string | undefined>>,
  name: string,
  look: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (seen.size === 0) setImmediate(() => seen.clear())
  const found = seen.get(name) ?? look()
  seen.set(name, found)
  return found
}
