/** The addresses of a large cluster are asked about again and again. */
const MOST = 10_000

/** What was computed once for a text is not computed again, as long as there are not too many of them. */
export function remembering<Result>(compute: (text: string) => Result): (text: string) => Result {
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
 * The same text means the same: of hundreds of events that come together, each is shown the same long answer, and it is
 * read once. Only the last one is kept. Nobody may change what comes back.
 */
export function rememberingLast<Result>(read: (text: string) => Result): (text: string) => Result {
  let last: { text: string; result: Result } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, result: read(text) }
    return last.result
  }
}
