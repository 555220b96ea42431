import { accessOf, writableBy } from './access.ts'
import { wayTo } from './way.ts'

/** A path that decides what root runs. */
export interface Deciding {
  path: string
  /** Root looks for names in this folder, so others must not even add one. */
  isSearched?: boolean
  /** What to do where no single command repairs it, or in place of that command. */
  instead: string
  /** Words before the path: why the path matters. */
  lead?: string
}

/** A path that others may write to. */
export interface Weakness extends Deciding {
  seen: string
  repair?: string
}

/** All on the way to a path. `isSearched` is said of its end. */
export function wayOf(path: string, { isSearched, ...rest }: Omit<Deciding, 'path'>): Deciding[] {
  const way = wayTo(path).map((each) => ({ path: each, ...rest }))
  return isSearched ? [...way.slice(0, -1), ...way.slice(-1).map((end) => ({ ...end, isSearched }))] : way
}

/** Those that others may write to, each once, the shortest path first: what is below is repaired with it, or matters no more. */
export function weaknesses(all: readonly Deciding[]): Weakness[] {
  const searched = new Set(all.flatMap(({ path, isSearched }) => (isSearched ? [path] : [])))
  const each = new Map(all.toReversed().map((deciding) => [deciding.path, deciding]))
  return [...each.values()]
    .toSorted((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1))
    .flatMap((deciding) => {
      const open = writableBy(accessOf(deciding.path), { isSearched: searched.has(deciding.path) })
      return open ? [{ ...deciding, ...open }] : []
    })
}

/** As a sentence: the path, who may write, what to do. */
export function weaknessText({ lead = '', path, seen, ...rest }: Weakness): string {
  return `${lead}${path}: ${seen}: CTDB would run it as root: ${remedyOf(rest)}`
}

export function remedyOf({ repair, instead }: Pick<Weakness, 'repair' | 'instead'>): string {
  return repair === undefined ? instead : `${repair}, or ${instead}`
}
