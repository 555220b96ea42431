/** How many texts are remembered: a large cluster asks about its addresses again and again. */
const MOST = 10_000

/** The same function, which computes the result for a text only once, as long as there are not too many texts. */
export function memoize<Result>(compute: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>()
  return (text) => {
    if (known.has(text)) return known.get(text) as Result
    if (known.size >= MOST) known.clear()
    const result = compute(text)
    known.set(text, result)
    return result
  }
}

/**
 * The same function, which keeps its last result: hundreds of events that come together see the same long answer, and it is
 * read once. Callers may not change the result.
 */
export function memoizeLast<Result>(read: (text: string) => Result): (text: string) => Result {
  let last: { text: string; result: Result } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, result: read(text) }
    return last.result
  }
}
