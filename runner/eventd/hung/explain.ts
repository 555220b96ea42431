import { setTimeout as sleep } from 'node:timers/promises'
import type { Door } from '../../machine/machine.ts'
import { blame, type Facts } from './culprit.ts'
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
} from './proc.ts'

/** The caller is at a deadline, and on a machine on which things hang looking may hang as well. */
const MOST_MS = 2000
/** Processes that are looked at closely. */
const MOST_PROCESSES = 32

/**
 * Why a script is hung, for the log: a verdict first, a line for each of its processes last. Never throws, never takes
 * longer than `limit` ms, never more than 60 lines; what was not seen in time is missing.
 */
export async function explainHung(
  door: Door,
  pid: number,
  { name, limit = MOST_MS }: { name?: string; limit?: number } = {},
): Promise<string[]> {
  const seen = nothing()
  const trouble: string[] = []
  const over = new AbortController()
  const looked = look(door, pid, seen).catch((error: unknown) => {
    trouble.push(`  not all was seen: ${error instanceof Error ? error.message : String(error)}`)
  })
  const late = sleep(limit, 'late', { signal: over.signal }).catch(() => 'ended')
  if ((await Promise.race([looked, late])) === 'late') trouble.push(`  not all was seen within ${limit} ms`)
  over.abort()
  try {
    const known = seen.processes.length > 0
    return [
      ...(known ? blame(seen, pid, name) : [`pid ${pid} is hung; ps did not say why`]),
      ...trouble.slice(0, 1),
    ]
  } catch (error) {
    return [`pid ${pid} is hung; why could not be found out: ${String(error)}`]
  }
}

type Seen = { -readonly [K in keyof Facts]: Facts[K] } & {
  waitsIn: Map<number, number>
  stacks: Map<number, readonly string[]>
}

function nothing(): Seen {
  return { processes: [], locks: [], files: [], holders: [], waitsIn: new Map(), stacks: new Map() }
}

/** Fills in what it sees as it sees it. Nothing here follows a link into a file system that may be what hangs. */
async function look(door: Door, top: number, seen: Seen): Promise<void> {
  const [ps, locks] = await Promise.all([door.ask`ps -ww -eo ${PS_COLUMNS}`, readOr(door, '/proc/locks')])
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
  const { out } = await door.ask`find ${folders} -mindepth 1 -maxdepth 1 -printf ${FIND_FORMAT}`
  seen.files = parseFiles(out)
}

/**
 * /proc/locks names who took a lock. CTDB's scripts let flock(1) lock a descriptor of the shell, and flock(1) has
 * ended long since: then every process is looked at for one that has that open file.
 */
async function lookAtLocks(door: Door, pids: readonly number[], seen: Seen): Promise<void> {
  const among = ownerIsGone(pids, seen) ? seen.processes.filter(isProgram).map(({ pid }) => pid) : pids
  const folders = among.map((pid) => `/proc/${pid}/fdinfo`)
  const { out } = await door.ask`grep -rsH ^lock: ${folders}`
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

/** Threads of the kernel are shown in brackets, below pid 2. */
const isProgram = ({ pid, ppid }: Facts['processes'][number]) => pid !== 2 && ppid !== 2

async function readOr(door: Door, path: string): Promise<string> {
  try {
    return (await door.read(path)) ?? ''
  } catch {
    return '' // only root may, or it has ended
  }
}
