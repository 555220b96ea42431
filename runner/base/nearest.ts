/** The name that somebody meant. Pure. */

/** So many slips are taken for a misspelt name; names of CTDB's other options are further away from ours. */
const SLIPS = 2

/** The known name with the fewest slips, at most two; undefined when none is that near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  return known
    .map((name) => ({ name, slips: distance(word, name) }))
    .filter(({ slips }) => slips <= SLIPS)
    .toSorted((a, b) => a.slips - b.slips)[0]?.name
}

/** How many letters are wrong, missing, too many, or exchanged with their neighbour; any number above SLIPS for far more. */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > SLIPS) return SLIPS + 1
  let [last, row]: number[][] = [[], Array.from({ length: other.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1]
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const [above = 0, left = 0, both = 0] = [row?.[j], next[j - 1], row?.[j - 1]]
      const plain = Math.min(above + 1, left + 1, both + (isSame ? 0 : 1))
      next[j] = isSwapped ? Math.min(plain, (last?.[j - 2] ?? 0) + 1) : plain
    }
    ;[last, row] = [row, next]
  }
  return row?.[other.length] ?? 0
}
