/**
 * tap, stricter: every test takes `t` from here. tap's own `match` accepts a list that is longer than its pattern, and
 * anything at all for `[]` or `{}`; a test that asserts nothing passes. Here all of them fail.
 */
import tap, { type Test } from 'tap'

export type { Test }

/** Where a pattern says less than it seems to; undefined where it does not. */
export function tooLoose(found: unknown, pattern: unknown, at = 'the pattern'): string | undefined {
  if (typeof pattern !== 'object' || pattern === null) return undefined
  if (pattern instanceof RegExp)
    return pattern.test('') && pattern.test('\0') ? `${at} accepts any text: ${pattern}` : undefined
  if (Array.isArray(pattern)) {
    const items = Array.isArray(found) ? found.length : pattern.length // no list: `match` refuses it itself
    if (items !== pattern.length)
      return `${at} lists ${pattern.length}, the value has ${items}: list each, or use t.same`
  } else if (Object.keys(pattern).length === 0) return `${at} is empty, and accepts any object`
  const values = found as Record<string, unknown> | null | undefined
  return Object.entries(pattern)
    .map(([key, part]) => tooLoose(values?.[key], part, `${at} at ${key}`))
    .find((problem) => problem !== undefined)
}

/** The same test: its `match`, and those of its subtests, are strict from now on. */
export function strict<T extends Test>(t: T): T {
  const [match, test, end] = [t.match.bind(t), t.test.bind(t), t.end.bind(t)]
  const strictMatch = (found: unknown, pattern: unknown, ...more: unknown[]): unknown => {
    t.currentAssert = strictMatch
    const problem = tooLoose(found, pattern)
    if (problem === undefined) return Reflect.apply(match, t, [found, pattern, ...more])
    return t.fail([more[0], problem].filter(Boolean).join(': '), { found, wanted: pattern })
  }
  const strictTest = (...words: unknown[]): unknown => {
    const body = words.at(-1)
    const inner = typeof body === 'function' ? [...words.slice(0, -1), asserting(body as Body)] : words
    return Reflect.apply(test, t, inner)
  }
  Object.defineProperty(t, 'match', { value: strictMatch })
  Object.defineProperty(t, 'test', { value: strictTest })
  Object.defineProperty(t, 'end', { value: () => (seenToAssert(t), end()) })
  return t
}

type Body = (t: Test) => unknown

/** A body that fails when it has asserted nothing, be it because a loop had no turn. */
function asserting(body: Body): Body {
  return (t) => {
    const done = body(strict(t))
    return done instanceof Promise ? done.then(() => seenToAssert(t)) : done
  }
}

function seenToAssert(t: Test): void {
  if (!t.ended && t.count + t.subtests.length === 0) t.fail('this test asserts nothing')
}

export default strict(tap)
