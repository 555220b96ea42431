/** Names in a sentence. */

/** `a`, `a and b`, `a, b and c`. */
export function enumerated(words: readonly (string | number)[]): string {
  const last = String(words.at(-1) ?? '')
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`
}

/** How many names are printed before the rest is only counted. */
const MOST_NAMED = 5

/** `a, b, c, d, e, and 7 more`. */
export function firstNames(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? [`and ${names.length - MOST_NAMED} more`] : []
  return [...names.slice(0, MOST_NAMED), ...more].join(', ')
}
