/** Small systems have BusyBox's programs under the names of others, with fewer options: one it does not know ends in its usage. */

/** `BusyBox v1.35.0` when a program has printed that. */
export function busyBoxIn(text: string): string | undefined {
  return /^BusyBox v[\d.]+/m.exec(text)?.[0]
}

/** What a program has printed without the usage of one of BusyBox's. */
export function withoutUsage(text: string): string {
  return text.replace(/^(BusyBox v[\d.]+)[^]*/m, '$1')
}
