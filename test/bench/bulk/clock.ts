/** Milliseconds since 1970 with fractions, to be compared with the times that the kernel and `ip` give. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Does it come true within so many milliseconds? */
export async function within(ms: number, holds: () => boolean): Promise<boolean> {
  const end = now() + ms
  while (!holds()) {
    if (now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return true
}
