import type { Note, Step } from '../transcript.ts'

/** The words of our own format, and the numbers of others: nothing of a site. */
const FORMAT = new Set(['verb', 'how', 'kind', 'outcome', 'signal', 'removes'])

/** The step or note with all its texts hidden, before they are written: an escape such as `\t` would touch what follows. */
export function hiddenIn<T extends Step | Note>(entry: T, hide: (text: string) => string): T {
  const inside = (value: unknown): unknown => {
    if (typeof value === 'string') return hide(value)
    if (Array.isArray(value)) return value.map(inside)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, FORMAT.has(name) ? each : inside(each)]),
    )
  }
  return inside(entry) as T
}
