import { setTimeout as sleep } from 'node:timers/promises'
import type { System, Until } from '../machine/machine.ts'
import { burst } from './burst.ts'
import type { KeptBack } from './locks.ts'

type Machine = Pick<System, 'read' | 'write' | 'find'>

/** Files, for many events at once. */
export interface Files extends Machine {
  /** The same, for one that has these locks: what it writes may wait for those who write next. */
  under: (locks: readonly string[]) => Pick<System, 'read' | 'write'>
  keptBack: KeptBack
}

/** What is only rung like a bell: how many ring at once makes no difference. */
const BELL = /^\/proc\/sys\/net\/ipv[46]\/route\/flush$/

/**
 * One look at a file for all who wait for it to change, one write for all who write it under one lock, and one of a
 * kind where only that it is written counts.
 */
export function files(machine: Machine): Files {
  const drafts = new Map<string, { lock: string; text: string }>()
  const bells = new Map<string, (text: string) => Promise<void>>()
  const glimpses = new Map<string, Promise<string | undefined>>()
  const finds = new Map<string, Promise<string | undefined>>()
  const watches = new Map<string, (until: Until) => Promise<string | undefined>>()

  function read(path: string, until?: Until): Promise<string | undefined> {
    const draft = drafts.get(path)
    if (draft) return Promise.resolve(draft.text)
    if (!until) return glimpse(path)
    const watch = watches.get(path) ?? watchOf(() => machine.read(path))
    watches.set(path, watch)
    return watch(until)
  }

  /** Who reads a file at the same moment reads the same. */
  function glimpse(path: string): Promise<string | undefined> {
    if (glimpses.size === 0) setImmediate(() => glimpses.clear())
    const seen = glimpses.get(path) ?? machine.read(path)
    glimpses.set(path, seen)
    return seen
  }

  /** The same of programs. */
  function find(program: string): Promise<string | undefined> {
    if (finds.size === 0) setImmediate(() => finds.clear())
    const found = finds.get(program) ?? machine.find(program)
    finds.set(program, found)
    return found
  }

  function write(path: string, text: string): Promise<void> {
    glimpses.delete(path)
    if (!BELL.test(path)) return machine.write(path, text)
    const bell =
      bells.get(path) ??
      burst<string, void>(async (texts) => {
        await machine.write(path, texts[0] ?? '')
        return texts.map(() => {})
      })
    bells.set(path, bell)
    return bell(text)
  }

  return {
    read,
    write,
    find,
    under(locks) {
      const lock = locks.at(-1)
      if (lock === undefined) return { read, write }
      return {
        read,
        write(path, text) {
          // only what the lock is about, which bears its name
          if (lock !== `${path}.lock`) return write(path, text)
          drafts.set(path, { lock, text })
          return Promise.resolve()
        },
      }
    },
    keptBack: {
      any: (lock) => [...drafts.values()].some((draft) => draft.lock === lock),
      async write(lock) {
        const mine = [...drafts].filter(([, draft]) => draft.lock === lock)
        for (const [path] of mine) drafts.delete(path)
        for (const [path, { text }] of mine) await write(path, text)
      },
    },
  }
}

interface Watcher {
  until: Until
  last: number
  resolve: (text: string | undefined) => void
  reject: (error: unknown) => void
}

/** One look for all who wait. */
function watchOf(look: () => Promise<string | undefined>): (until: Until) => Promise<string | undefined> {
  let watchers: Watcher[] = []
  let looking = false

  async function watch(): Promise<void> {
    looking = true
    while (watchers.length > 0) {
      try {
        const text = await look()
        const now = performance.now()
        const isOver = ({ until, last }: Watcher) => text === undefined || until.wanted(text) || now > last
        const over = watchers.filter(isOver)
        watchers = watchers.filter((each) => !over.includes(each))
        for (const { resolve } of over) resolve(text)
      } catch (error) {
        for (const { reject } of watchers.splice(0)) reject(error)
      }
      if (watchers.length > 0) await sleep(Math.min(...watchers.map(({ until }) => until.every)))
    }
    looking = false
  }

  return (until) =>
    new Promise((resolve, reject) => {
      watchers.push({ until, last: performance.now() + until.limit, resolve, reject })
      if (!looking) void watch()
    })
}
