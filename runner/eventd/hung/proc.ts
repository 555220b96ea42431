/** What ps, find, grep and the files of /proc print, as values. A line that is not as expected is passed over. */

export interface Process {
  pid: number
  ppid: number
  pgid: number
  /** The letter that ps gives: S sleeps, D cannot be ended, T is stopped, Z has ended, R runs. */
  state: string
  /** The function of the kernel in which it sleeps; `-` when it runs or we may not see it. */
  wchan: string
  /** Seconds since it was started. */
  age: number
  args: string
}

export interface Lock {
  /** The same for a lock and all who wait for it. */
  id: number
  waits: boolean
  /** FLOCK, POSIX, OFDLCK, LEASE. */
  kind: string
  /** READ or WRITE. */
  mode: string
  /** Who took it: may have ended, and left it to whom it gave the open file. */
  pid: number
  /** Device and inode. */
  inode: string
}

export interface OpenFile {
  pid: number
  fd: number
  writes: boolean
  /** A path, `pipe:[123]`, `socket:[456]`. */
  target: string
}

/** The columns that `parseProcesses` expects, for `ps -ww -eo`. */
export const PS_COLUMNS = 'pid=,ppid=,pgid=,stat=,wchan:32=,etimes=,args='

export function parseProcesses(ps: string): Process[] {
  return matches(ps, /^\s*(\d+)\s+(\d+)\s+(\d+)\s+([A-Za-z])\S*\s+(\S+)\s+(\d+)\s+(.*)$/gm).map(
    ([pid, ppid, pgid, state = '', wchan = '', age, args = '']) => ({
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      state,
      wchan,
      age: Number(age),
      args,
    }),
  )
}

/** /proc/locks: `1: -> FLOCK  ADVISORY  WRITE 23053 fe:00:2146409 0 EOF`. */
export function parseLocks(text: string): Lock[] {
  return matches(text, /^(\d+):\s*(->)?\s*(\w+)\s+\S+\s+(\w+)\s+(-?\d+)\s+(\S+)/gm).map(
    ([id, arrow, kind = '', mode = '', pid, inode = '']) => ({
      id: Number(id),
      waits: arrow !== undefined,
      kind,
      mode,
      pid: Number(pid),
      inode,
    }),
  )
}

/** How `parseFiles` wants find to print the folders /proc/PID/fd; the mode of such a link is that of the open file. */
export const FIND_FORMAT = String.raw`%p %M %l\n`

export function parseFiles(find: string): OpenFile[] {
  return matches(find, /^\/proc\/(\d+)\/fd\/(\d+) l.(.)\S* (.*)$/gm).map(([pid, fd, w, target = '']) => ({
    pid: Number(pid),
    fd: Number(fd),
    writes: w === 'w',
    target,
  }))
}

/** The locks of open files, as `grep -r ^lock: /proc/PID/fdinfo` prints them: also for whom the lock was left to. */
export function parseHolders(grep: string): (Lock & { holder: number; fd: number })[] {
  return matches(grep, /^\/proc\/(\d+)\/fdinfo\/(\d+):lock:\s*(.*)$/gm).flatMap(([holder, fd, rest = '']) =>
    parseLocks(rest).map((lock) => ({ ...lock, holder: Number(holder), fd: Number(fd) })),
  )
}

/** The first argument of the system call that a process is in: for read, write, flock, fcntl a file descriptor. */
export function firstArgument(syscall: string): number | undefined {
  const found = /^\d+ 0x([0-9a-f]+) /.exec(syscall)?.[1]
  const value = found === undefined ? NaN : parseInt(found, 16)
  return value < 1_048_576 ? value : undefined
}

/** The functions of /proc/PID/stack, the innermost first, without those that every system call has. */
export function parseStack(text: string): string[] {
  return matches(text, /^\[<\S+>\] ([\w.]+)\+/gm)
    .map(([name = '']) => name)
    .filter((name) => !/^(do_syscall|entry_|ret_from|el0|__x64_sys)/.test(name))
}

/**
 * A process and all below it, parents first, each with its depth; and the rest of its process group, which is below
 * another process since its parent has ended.
 */
export function treeOf(processes: readonly Process[], top: number): (Process & { depth: number })[] {
  const found = new Map<number, Process & { depth: number }>()
  const add = (process: Process, depth: number) => {
    if (found.has(process.pid)) return
    found.set(process.pid, { ...process, depth })
    for (const child of processes) if (child.ppid === process.pid) add(child, depth + 1)
  }
  for (const process of processes) if (process.pid === top) add(process, 0)
  for (const process of processes) if (process.pgid === top) add(process, 1)
  return [...found.values()]
}

/** What the groups of a pattern caught, for each match. */
function matches(text: string, pattern: RegExp): (string | undefined)[][] {
  return [...text.matchAll(pattern)].map((match) => match.slice(1))
}
