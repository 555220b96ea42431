/** Announcements go on in the background of the event. Their duration and number is a matter of taste. */
const ANNOUNCERS = /announce\.cjs|\/(arping|send_arp|send_ua|ndsend|ndptool)"/

/**
 * The number of programs that a process has started, from `strace -f -o` of execve and the forks: the processes that
 * execute a program. Not counted: the first process of the log itself, with the `env` of its first line;
 * announcements, and the processes that they have started; every program that is started after the end of the first
 * process.
 */
export function countPrograms(log: string): number {
  const parents = new Map<string, string>()
  const announcing = new Set<string>()
  /** By process: the program that the process is about to execute, while strace waits for the end of the call. */
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
