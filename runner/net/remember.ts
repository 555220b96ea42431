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
