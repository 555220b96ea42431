/** How processes are named in the lines of the log. */
import type { Process } from './proc.ts'

/** `sleep 10 (pid 12)`. */
export function named({ pid, args }: Process): string {
  return `${short(args)} (pid ${pid})`
}

/** The first, and the number of the others; empty for none. */
export function firstOf([first, ...more]: readonly Process[]): string {
  if (!first) return ''
  return more.length > 0 ? `${named(first)} and ${more.length} more` : named(first)
}

/** The command of a process, in 120 characters at most. */
export function short(args: string): string {
  return cut(args, 120)
}

/** The text, in so many characters at most. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

/** ps shows no function of the kernel: the process runs, or we may not see it. */
export function isUnknown(wchan: string): boolean {
  return /^[-0?]*$/.test(wchan)
}
