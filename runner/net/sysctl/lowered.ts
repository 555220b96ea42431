/** Sysctls that are other than the admin's for a moment, and the record of what they were. */

export interface Wish {
  path: string
  value: number
  /** A lower one is fine as it is. */
  most?: boolean
  /** This one is never changed. */
  unless?: number
}

export interface Lowered {
  path: string
  original: number
  value: number
}

/** The kernel keeps times in ticks of its clock, 10 ms at most, and rounds up: 253 is read back as 256. */
const TICK_MS = 10

/** Is it what we have made of it, or has somebody else changed it since? */
export function isStill({ path, value }: { path: string; value: number }, now: number): boolean {
  return path.endsWith('_ms') ? now >= value && now < value + TICK_MS : now === value
}

/** Is there anything to do, where it is `now`? */
export function wishDue(wish: Wish, now: number): boolean {
  if (now === wish.unless || isStill(wish, now)) return false
  return !(wish.most && now < wish.value)
}

/**
 * The record when those of `due` are about to be lowered. What was lowered before, and is so still, has its original
 * there already; one that was changed since is the admin's, and counts.
 */
export function merged(record: readonly Lowered[], due: readonly Lowered[]): Lowered[] {
  const before = (path: string) => record.find((each) => each.path === path)
  const added = due.map((each) => {
    const known = before(each.path)
    return known && isStill(known, each.original) ? { ...each, original: known.original } : each
  })
  return [...record.filter(({ path }) => !due.some((each) => each.path === path)), ...added]
}

/** A line each: the sysctl, what it was, what it is made. A line that is none is passed over. */
export function parseLowered(text: string): Lowered[] {
  return text.split('\n').flatMap((line) => {
    const [, path = '', original, value] = /^(\/proc\/sys\/net\/ipv6\/\S+) (\d+) (\d+)$/.exec(line) ?? []
    return path === '' || path.includes('/../')
      ? []
      : [{ path, original: Number(original), value: Number(value) }]
  })
}

export function textOf(record: readonly Lowered[]): string {
  return record.map(({ path, original, value }) => `${path} ${original} ${value}\n`).join('')
}
