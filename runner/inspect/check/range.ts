/** When a figure alerts, as the guidelines of Nagios plugins write it. */
export interface Range {
  text: string
  alerts: (value: number) => boolean
}

/**
 * `10` alerts outside 0 to 10, `10:` below 10, `~:10` above 10, `10:20` outside, `@10:20` inside, the ends included.
 * Undefined when it is none of these.
 */
export function parseRange(text: string): Range | undefined {
  const [, inside, start, end] = /^(@)?(?:(~|-?\d+(?:\.\d+)?):)?(-?\d+(?:\.\d+)?)?$/.exec(text) ?? []
  if (start === undefined && end === undefined) return undefined
  const low = start === undefined ? 0 : start === '~' ? -Infinity : Number(start)
  const high = end === undefined ? Infinity : Number(end)
  if (low > high) return undefined
  const within = (value: number) => value >= low && value <= high
  return { text, alerts: (value) => within(value) === (inside !== undefined) }
}
