/** The reasons for which processes of a hung script wait. Decides only; looks at nothing. */
import type { Lock, Process } from './proc.ts'
import type { HungSnapshot, ScriptProcess } from './snapshot.ts'
import { firstOf, isUnknown, short } from './words.ts'

/** `on`: processes of the same script, which are the culprits rather than this process. */
export interface Wait {
  words: string
  isForLock?: boolean
  on: readonly number[]
}

/** Names of kernel functions, over many versions, and what a process that sleeps there waits for. */
const FUNCTIONS: readonly [RegExp, string][] = [
  [/^do_wait|^kernel_wait/, 'child'],
  [/nanosleep/, 'for its own timer (it sleeps)'],
  [/pipe.*read|^pipe_wait/, 'read'],
  [/pipe.*write/, 'write'],
  [/tty_read|n_tty/, 'read'],
  [/futex/, 'for another of its threads (futex)'],
  [/poll|select/, 'for any of its files or sockets (poll)'],
  [/sigsuspend|^sys_pause|^do_sigtimedwait/, 'for a signal'],
  [/^rpc_|^nfs/, 'for an NFS server'],
  [/^request_wait_answer|^fuse/, 'for a FUSE file system'],
  [/connect/, 'for a connection to be made (connect)'],
  [/accept/, 'for somebody to connect (accept)'],
  [/recv|stream_read|data_wait|more_packets/, 'read'],
  [/send|mem_wait|sock_alloc/, 'write'],
  [/io_schedule|folio_wait|wait_on_page|wait_on_buffer|blk_|jbd2|ext4_|xfs_/, 'for a disk'],
]

/** The reason for which a process waits; `tree` has all processes of the script. */
export function waitOf(snapshot: HungSnapshot, tree: readonly ScriptProcess[], process: ScriptProcess): Wait {
  const waiting = snapshot.locks.find(({ waits, pid }) => waits && pid === process.pid)
  if (waiting) return waitForLock(snapshot, process, waiting)
  const kind = FUNCTIONS.find(([pattern]) => pattern.test(process.wchan))?.[1]
  if (kind === 'child') return waitForChild(tree, process)
  if (kind === 'read' || kind === 'write') return waitForData(snapshot, tree, process, kind)
  return { words: kind ?? inKernel(process.wchan), on: [] }
}

function inKernel(wchan: string): string {
  return isUnknown(wchan) ? 'for something unknown' : `in the kernel's ${wchan}`
}

function waitForChild(tree: readonly ScriptProcess[], process: ScriptProcess): Wait {
  const children = tree.filter(({ ppid, state }) => ppid === process.pid && !'ZX'.includes(state))
  return { words: `for ${firstOf(children) || 'a child'} to end`, on: children.map(({ pid }) => pid) }
}

/** A pipe, a socket, a terminal: which, and which processes of the script have the other end. */
function waitForData(
  snapshot: HungSnapshot,
  tree: readonly ScriptProcess[],
  process: ScriptProcess,
  kind: 'read' | 'write',
): Wait {
  const target = waitedFile(snapshot, process.pid)
  const doing = kind === 'read' ? 'for data from' : 'for room in'
  if (target === undefined) return { words: `${doing} a pipe, socket or terminal`, on: [] }
  if (!target.startsWith('pipe:')) return { words: `${doing} ${target}`, on: [] }
  const pids = new Set(
    snapshot.files
      .filter(
        (file) => file.target === target && file.writes === (kind === 'read') && file.pid !== process.pid,
      )
      .map(({ pid }) => pid),
  )
  const others = tree.filter(({ pid }) => pids.has(pid))
  const subject = firstOf(others) || 'no other process of the script'
  const words = `${doing} ${target}, which ${subject} ${kind === 'read' ? 'writes to' : 'reads from'}`
  return { words, on: others.map(({ pid }) => pid) }
}

function waitForLock(snapshot: HungSnapshot, process: ScriptProcess, lock: Lock): Wait {
  const call = lock.kind === 'FLOCK' ? 'flock' : `a ${lock.kind} lock`
  const file = waitedFile(snapshot, process.pid) ?? `inode ${lock.inode}`
  const words = `in ${call} for ${file} (${lock.mode}), ${heldBy(snapshot, lock)}, since at most ${process.age} s`
  return { words, isForLock: true, on: [] }
}

/** A lock that was left to other processes has several holders: every process with its open file. */
function heldBy({ locks, holders, processes }: HungSnapshot, lock: Lock): string {
  const taker = locks.find(({ id, waits }) => id === lock.id && !waits)?.pid
  const heirs = holders.filter(({ inode, kind }) => inode === lock.inode && kind === lock.kind)
  const pids = new Set([taker, ...heirs.map(({ holder }) => holder)])
  const alive = (pid?: number): Process | undefined => processes.find((each) => each.pid === pid)
  const [first, ...more] = [...pids].flatMap((pid) => alive(pid) ?? [])
  if (!first) return `held by pid ${taker ?? '?'}, which has ended and left it to another process`
  const others = more.length > 0 ? `, and by ${more.length} more with the same open file` : ''
  return `held by pid ${first.pid} (${short(first.args)}, ${first.age} s old${others})`
}

/** The target of the descriptor in which the process waits. */
function waitedFile({ waitsIn, files }: HungSnapshot, pid: number): string | undefined {
  const fd = waitsIn.get(pid)
  return files.find((file) => file.pid === pid && file.fd === fd)?.target
}
