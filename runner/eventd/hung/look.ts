/** The look at hung processes: ps, and the files of /proc. */
import type { Door } from '../../machine/machine.ts'
import {
  FIND_FORMAT,
  firstArgument,
  parseFiles,
  parseHolders,
  parseLocks,
  parseProcesses,
  parseStack,
  PS_COLUMNS,
  treeOf,
  type Process,
} from './proc.ts'
import type { HungSnapshot } from './snapshot.ts'

/** Processes that are looked at closely. */
const MOST_PROCESSES = 32

/** Milliseconds for a program that looks: it may hang as well, and is ended then. */
const MOST_MS = 2000

/** A snapshot that is being filled in. */
type Seen = { -readonly [K in keyof HungSnapshot]: HungSnapshot[K] } & {
  waitsIn: Map<number, number>
  stacks: Map<number, readonly string[]>
}

export function nothingSeen(): Seen {
  return { processes: [], locks: [], files: [], holders: [], waitsIn: new Map(), stacks: new Map() }
}

/**
 * Fills in `seen` part by part: a caller with a deadline has what was seen until then. No link is followed into a file
 * system that may be the one that hangs. `top` is the pid of the script.
 */
export async function lookAtHung(door: Door, top: number, seen: Seen): Promise<void> {
  const [ps, locks] = await Promise.all([
    door.ask({ within: MOST_MS })`ps -ww -eo ${PS_COLUMNS}`,
    readOr(door, '/proc/locks'),
  ])
  seen.processes = parseProcesses(ps.out)
  seen.locks = parseLocks(locks)
  const pids = treeOf(seen.processes, top)
    .slice(0, MOST_PROCESSES)
    .map(({ pid }) => pid)
  if (pids.length === 0) return
  await Promise.all([
    ...pids.map((pid) => lookAt(door, pid, seen)),
    lookAtFiles(door, pids, seen),
    lookAtLocks(door, pids, seen),
  ])
}

async function lookAt(door: Door, pid: number, seen: Seen): Promise<void> {
  const fd = firstArgument(await readOr(door, `/proc/${pid}/syscall`))
  if (fd !== undefined) seen.waitsIn.set(pid, fd)
  seen.stacks.set(pid, parseStack(await readOr(door, `/proc/${pid}/stack`)))
}

async function lookAtFiles(door: Door, pids: readonly number[], seen: Seen): Promise<void> {
  const folders = pids.map((pid) => `/proc/${pid}/fd`)
  const { out } = await door.ask({
    within: MOST_MS,
  })`find ${folders} -mindepth 1 -maxdepth 1 -printf ${FIND_FORMAT}`
  seen.files = parseFiles(out)
}

/**
 * /proc/locks names the process that took a lock. CTDB's scripts let flock(1) lock a descriptor of the shell, and
 * flock(1) has ended long since: then every process is searched for the open file of the lock.
 */
async function lookAtLocks(door: Door, pids: readonly number[], seen: Seen): Promise<void> {
  const among = ownerIsGone(pids, seen) ? seen.processes.filter(isProgram).map(({ pid }) => pid) : pids
  const folders = among.map((pid) => `/proc/${pid}/fdinfo`)
  const { out } = await door.ask({ within: MOST_MS })`grep -rsH ^lock: ${folders}`
  const waited = new Set(seen.locks.filter(({ waits }) => waits).map(({ inode }) => inode))
  seen.holders = parseHolders(out).filter(({ holder, inode }) => pids.includes(holder) || waited.has(inode))
}

function ownerIsGone(pids: readonly number[], { locks, processes }: Seen): boolean {
  return locks
    .filter(({ waits, pid }) => waits && pids.includes(pid))
    .some(({ id }) => {
      const owner = locks.find((lock) => lock.id === id && !lock.waits)?.pid
      return !processes.some(({ pid }) => pid === owner)
    })
}

/** No thread of the kernel: ps shows these in brackets, below pid 2. */
const isProgram = ({ pid, ppid }: Process) => pid !== 2 && ppid !== 2

async function readOr(door: Door, path: string): Promise<string> {
  try {
    return (await door.read(path)) ?? ''
  } catch {
    return '' // only root may read, or the process has ended
  }
}
