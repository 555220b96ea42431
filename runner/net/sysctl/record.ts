/** The record of sysctls that are other than the admin's for a while: what they were, and what they are made. Pure. */

/** A sysctl that is kept: its value before it was changed, and the value that it was given. */
export interface Kept {
  path: string
  original: number
  value: number
}

/** A value that a sysctl should have. */
export interface Wish {
  path: string
  value: number
  /** A lower value is fine as it is. */
  most?: boolean
  /** A sysctl with this value is never changed. */
  unless?: number
}

/** The kernel keeps times in ticks of its clock, 10 ms at most, and rounds up: 253 is read back as 256. */
const TICK_MS = 10

/** Is the value `now` still the one that the sysctl was given, or has somebody else changed it since? */
export function isStill({ path, value }: { path: string; value: number }, now: number): boolean {
  return path.endsWith('_ms') ? now >= value && now < value + TICK_MS : now === value
}

/** Is there anything to do, where the sysctl is `now`? */
export function wishDue(wish: Wish, now: number): boolean {
  if (now === wish.unless || isStill(wish, now)) return false
  return !(wish.most && now < wish.value)
}

/**
 * The record when those of `due` are about to be changed. A sysctl that was changed before, and is so still, has its
 * original in the record already; a value that somebody else has set since is the admin's, and counts.
 */
export function merged(record: readonly Kept[], due: readonly Kept[]): Kept[] {
  const before = (path: string) => record.find((each) => each.path === path)
  const added = due.map((each) => {
    const known = before(each.path)
    return known && isStill(known, each.original) ? { ...each, original: known.original } : each
  })
  return [...record.filter(({ path }) => !due.some((each) => each.path === path)), ...added]
}

/** A line each: the sysctl, its original, its value. Any other line is passed over. */
export function parseKept(text: string): Kept[] {
  return text.split('\n').flatMap((line) => {
    const [, path = '', original, value] = /^(\/proc\/sys\/net\/\S+) (-?\d+) (-?\d+)$/.exec(line) ?? []
    return path === '' || path.includes('/../')
      ? []
      : [{ path, original: Number(original), value: Number(value) }]
  })
}

export function keptText(record: readonly Kept[]): string {
  return record.map(({ path, original, value }) => `${path} ${original} ${value}\n`).join('')
}
