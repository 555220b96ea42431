/**
 * The oldest iptables that knows every word of ours: `-w SECONDS` came with 1.6.0, for `iptables-restore` with 1.6.2. An older
 * one takes the seconds for a bad argument, and each address is released unblocked.
 */
const [MAJOR, MINOR, PATCH] = [1, 6, 2]

export const OLDEST_IPTABLES = `iptables ${MAJOR}.${MINOR}.${PATCH}`

/** By the first line of `iptables -V`, `iptables v1.8.9 (nf_tables)`; undefined when no version stands in it. */
export function isTooOld(printed: string): boolean | undefined {
  const version = / v(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?/.exec(printed)
  if (!version) return undefined
  const [, major, minor, patch = '0'] = version
  const number = (a: number, b: number, c: number) => (a * 100_000 + b) * 100_000 + c
  return number(Number(major), Number(minor), Number(patch)) < number(MAJOR, MINOR, PATCH)
}
