/** The output of ps, find and grep, and the files of /proc, as values. An unexpected line is skipped. See proc(5). */

export interface Process {
  pid: number
  ppid: number
  pgid: number
  /** The letter of ps(1): S sleeps, D cannot be ended, T is stopped, Z has ended, R runs. */
  state: string
  /** The function of the kernel in which the process sleeps; `-` when it runs or we may not see the function. */
  wchan: string
  /** Seconds since its start. */
  age: number
  args: string
}

export interface Lock {
  /** The same for a lock and all processes that wait for the lock. */
  id: number
  waits: boolean
  /** FLOCK, POSIX, OFDLCK, LEASE. */
  kind: string
  /** READ or WRITE. */
  mode: string
  /** The process that took the lock. It may have ended, and left the lock to a process with the same open file. */
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

/** The processes, out of ps with PS_COLUMNS. */
export function parseProcesses(ps: string): Process[] {
  return matches(ps, /^ *(\d+) +(\d+) +(\d+) +([A-Za-z])\S* +(\S+) +(\d+) +(.*)$/gm).map(
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

/** The format of find for `parseFiles`, for the folders /proc/PID/fd. The mode of such a link is that of the open file. */
export const FIND_FORMAT = String.raw`%p %M %l\n`

/** The open files, out of find with FIND_FORMAT. */
export function parseFiles(find: string): OpenFile[] {
  return matches(find, /^\/proc\/(\d+)\/fd\/(\d+) l.(.)\S* (.*)$/gm).map(([pid, fd, w, target = '']) => ({
    pid: Number(pid),
    fd: Number(fd),
    writes: w === 'w',
    target,
  }))
}

/** The locks of open files, out of `grep -r ^lock: /proc/PID/fdinfo`: also those that were left to a process. */
export function parseHolders(grep: string): (Lock & { holder: number; fd: number })[] {
  return matches(grep, /^\/proc\/(\d+)\/fdinfo\/(\d+):lock:\s*(.*)$/gm).flatMap(([holder, fd, rest = '']) =>
    parseLocks(rest).map((lock) => ({ ...lock, holder: Number(holder), fd: Number(fd) })),
  )
}

/** The first argument of the present system call of a process: for read, write, flock, fcntl a file descriptor. */
export function firstArgument(syscall: string): number | undefined {
  const found = /^\d+ 0x([0-9a-f]+) /.exec(syscall)?.[1]
  const value = found === undefined ? NaN : parseInt(found, 16)
  return value < 1_048_576 ? value : undefined
}

/** The functions in /proc/PID/stack, the innermost first, without those of every system call. */
export function parseStack(text: string): string[] {
  return matches(text, /^\[<\S+>\] ([\w.]+)\+/gm)
    .map(([name = '']) => name)
    .filter((name) => !/^(do_syscall|entry_|ret_from|el0|__x64_sys)/.test(name))
}

/**
 * A process and all its descendants, parents first, each with its depth; and the rest of its process group, which
 * has another parent since its own has ended.
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

/** The groups of a pattern, for each match. */
function matches(text: string, pattern: RegExp): (string | undefined)[][] {
  return [...text.matchAll(pattern)].map((match) => match.slice(1))
}
