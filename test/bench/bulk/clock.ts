/** Milliseconds since 1970 with fractions, comparable with the times of the kernel and of `ip`. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Does the condition become true within this number of milliseconds? */
export async function within(ms: number, holds: () => boolean): Promise<boolean> {
  const end = now() + ms
  while (!holds()) {
    if (now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return true
}
