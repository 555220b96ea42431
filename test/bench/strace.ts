/** Announcements go on in the background of the event; how long and how often is a matter of taste. */
const ANNOUNCERS = /announce\.cjs|\/(arping|send_arp|send_ua|ndsend|ndptool)"/

/**
 * How many programs a process has started, out of `strace -f -o` of execve and the forks: the processes that execute
 * one. Not counted: the first process of the log itself, with the `env` of its first line; announcements, what those
 * have started, and whatever is started after the first process has ended.
 */
export function countPrograms(log: string): number {
  const parents = new Map<string, string>()
  const announcing = new Set<string>()
  /** By process: what it is about to execute, while strace waits for the end of the call. */
  const pending = new Map<string, string>()
  const executed = new Set<string>()
  let main: string | undefined
  for (const line of log.split('\n')) {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    main ??= pid
    if (pid === main && text.startsWith('+++ exited')) break
    const child = /^(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)$/.exec(text)?.[1]
    if (child) parents.set(child, pid)
    if (text.startsWith('execve(')) pending.set(pid, text)
    if (!/execve.* = 0$/.test(text)) continue
    if (ANNOUNCERS.test(pending.get(pid) ?? '')) announcing.add(pid)
    if (!descends(pid, announcing, parents)) executed.add(pid)
  }
  if (main !== undefined) executed.delete(main)
  return executed.size
}

function descends(pid: string, from: ReadonlySet<string>, parents: ReadonlyMap<string, string>): boolean {
  for (let at: string | undefined = pid; at !== undefined; at = parents.get(at)) if (from.has(at)) return true
  return false
}
