/** Which process of a hung script all the others wait for, and for what. Decides only; looks at nothing. */
import { treeOf, type Lock, type OpenFile, type Process } from './proc.ts'

/** All that was found in time; what is missing makes the words poorer, no more. */
export interface Facts {
  processes: readonly Process[]
  locks: readonly Lock[]
  files: readonly OpenFile[]
  /** Who has the open file of a lock. */
  holders: readonly { holder: number; fd: number; inode: string; kind: string; mode: string }[]
  /** By pid: the file descriptor in which a process waits. */
  waitsIn: ReadonlyMap<number, number>
  /** By pid: functions of the kernel, the innermost first. */
  stacks: ReadonlyMap<number, readonly string[]>
}

type Member = ReturnType<typeof treeOf>[number]

/** What a process waits for; `on` are processes of the same script, which then are to blame rather than this one. */
interface Wait {
  words: string
  lock?: boolean
  on: readonly number[]
}

/** The caller may add one. */
const MOST_LINES = 59
const MOST_LOCKS = 10
const MOST_CHARS = 400

/** The lines for the log: a verdict, then what the script holds, then a line for each of its processes. */
export function blame(facts: Facts, top: number, name?: string): string[] {
  const tree = treeOf(facts.processes, top)
  const script = tree.find(({ pid }) => pid === top)
  if (tree.length === 0) return [`pid ${top}: has ended meanwhile, and nothing of its process group is left`]
  const waits = new Map(tree.map((each) => [each.pid, waitOf(facts, tree, each)]))
  const culprit = culpritOf(tree, waits)
  const lines = [
    verdict(script && { ...script, name: name ?? nameOf(script.args) }, top, culprit, waits.get(culprit.pid)),
    ...lastStarted(tree),
    ...stackOf(facts, culprit),
    ...locksOf(facts, tree).slice(0, MOST_LOCKS),
    ...tree.map(
      (each) => `${'  '.repeat(Math.min(each.depth, 8) + 1)}${describe(each, waits.get(each.pid))}`,
    ),
  ]
  const more = lines.length - MOST_LINES
  const kept = more > 0 ? [...lines.slice(0, MOST_LINES - 1), `  … and ${more + 1} lines more`] : lines
  return kept.map((line) => cut(line, MOST_CHARS))
}

function verdict(
  script: (Process & { name: string }) | undefined,
  top: number,
  culprit: Process,
  wait?: Wait,
): string {
  const words = stateWords(culprit, wait)
  if (!script) return `pid ${top} has ended, but left behind ${who(culprit)}, which ${words}`
  const head = `${script.name} (pid ${top}) has used ${script.age} s:`
  if (culprit.pid === top) return `${head} it ${words}`
  return `${head} ${who(culprit)}, started ${culprit.age} s ago, ${words}`
}

/** `10.foo` of `/bin/sh /etc/ctdb/events/legacy/10.foo.script monitor`. */
function nameOf(args: string): string {
  return /(?:^|[\s/])(\d\d\.[^\s/]*)\.script(?:\s|$)/.exec(args)?.[1] ?? short(args)
}

function describe(process: Process, wait?: Wait): string {
  const kernel = /^[-0?]*$/.test(process.wchan) ? '' : ` [${process.wchan}]`
  return `pid ${process.pid} ${short(process.args)}: ${process.age} s old, ${process.state}: ${stateWords(process, wait)}${kernel}`
}

/** What a state other than sleeping says by itself. */
const STATES: Record<string, string> = {
  T: 'is stopped: "kill -CONT" would let it go on',
  t: 'is stopped by a debugger',
  Z: 'has ended; its parent has not asked for its exit status',
  X: 'has ended',
  R: 'is running and uses the processor',
}

function stateWords({ state }: Process, wait?: Wait): string {
  const words = STATES[state] ?? `waits ${wait?.words ?? 'for something unknown'}`
  return state === 'D' ? `${words}; no signal ends it before that (state D)` : words
}

/** The one that waits for no other of the script; of several first what is surely stuck, then the youngest. */
function culpritOf(tree: readonly Member[], waits: ReadonlyMap<number, Wait>): Member {
  const stuck = ({ pid, state }: Member) =>
    (waits.get(pid)?.lock ? 4 : 0) + ('DTt'.includes(state) ? 8 : 0) - ('ZX'.includes(state) ? 8 : 0)
  const last = tree.filter(({ pid, state }) => STATES[state] !== undefined || waits.get(pid)?.on.length === 0)
  const candidates = last.length > 0 ? last : tree
  return candidates.toSorted((a, b) => stuck(b) - stuck(a) || a.age - b.age || b.pid - a.pid)[0]!
}

// ---------------------------------------------------------------- waiting

/** Names of kernel functions, over many versions, and what one that sleeps there waits for. */
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

function waitOf(facts: Facts, tree: readonly Member[], process: Member): Wait {
  const waiting = facts.locks.find(({ waits, pid }) => waits && pid === process.pid)
  if (waiting) return waitForLock(facts, process, waiting)
  const kind = FUNCTIONS.find(([pattern]) => pattern.test(process.wchan))?.[1]
  if (kind === 'child') return waitForChild(tree, process)
  if (kind === 'read' || kind === 'write') return waitForData(facts, tree, process, kind)
  return { words: kind ?? unknown(process.wchan), on: [] }
}

const unknown = (wchan: string) =>
  /^[-0?]*$/.test(wchan) ? 'for something unknown' : `in the kernel's ${wchan}`

function waitForChild(tree: readonly Member[], process: Member): Wait {
  const children = tree.filter(({ ppid, state }) => ppid === process.pid && !'ZX'.includes(state))
  return { words: `for ${some(children) || 'a child'} to end`, on: children.map(({ pid }) => pid) }
}

/** A pipe, a socket, a terminal: which, and who of the script has its other end. */
function waitForData(facts: Facts, tree: readonly Member[], process: Member, kind: 'read' | 'write'): Wait {
  const target = fileOf(facts, process.pid)
  const doing = kind === 'read' ? 'for data from' : 'for room in'
  if (target === undefined) return { words: `${doing} a pipe, socket or terminal`, on: [] }
  if (!target.startsWith('pipe:')) return { words: `${doing} ${target}`, on: [] }
  const pids = new Set(
    facts.files
      .filter(
        (file) => file.target === target && file.writes === (kind === 'read') && file.pid !== process.pid,
      )
      .map(({ pid }) => pid),
  )
  const others = tree.filter(({ pid }) => pids.has(pid))
  const end = kind === 'read' ? 'writes to' : 'reads from'
  const words =
    others.length > 0
      ? `${doing} ${target}, which ${some(others)} ${end}`
      : `${doing} ${target}, which no other process of the script ${end}`
  return { words, on: others.map(({ pid }) => pid) }
}

function waitForLock(facts: Facts, process: Member, lock: Lock): Wait {
  const call = lock.kind === 'FLOCK' ? 'flock' : `a ${lock.kind} lock`
  const file = fileOf(facts, process.pid) ?? `inode ${lock.inode}`
  return {
    words: `in ${call} for ${file} (${lock.mode}), ${heldBy(facts, lock)}, since at most ${process.age} s`,
    lock: true,
    on: [],
  }
}

function heldBy(facts: Facts, lock: Lock): string {
  const taker = facts.locks.find(({ id, waits }) => id === lock.id && !waits)?.pid
  const alive = (pid?: number) => facts.processes.find((each) => each.pid === pid)
  const inherited = facts.holders.filter(({ inode, kind }) => inode === lock.inode && kind === lock.kind)
  const [first, ...more] = [...new Set([taker, ...inherited.map(({ holder }) => holder)])].flatMap(
    (pid) => alive(pid) ?? [],
  )
  if (!first) return `held by pid ${taker ?? '?'}, which has ended and left it to another process`
  const others = more.length > 0 ? `, and by ${more.length} more with the same open file` : ''
  return `held by pid ${first.pid} (${short(first.args)}, ${first.age} s old${others})`
}

/** What the descriptor stands for in which the process waits. */
function fileOf(facts: Facts, pid: number): string | undefined {
  const fd = facts.waitsIn.get(pid)
  return facts.files.find((file) => file.pid === pid && file.fd === fd)?.target
}

// ---------------------------------------------------------------- the rest

function lastStarted(tree: readonly Member[]): string[] {
  const last = tree.toSorted((a, b) => a.age - b.age || b.pid - a.pid)[0]
  return last && tree.length > 1 ? [`  last program started: ${who(last)}, ${last.age} s ago`] : []
}

function stackOf({ stacks }: Facts, { pid }: Process): string[] {
  const stack = stacks.get(pid) ?? []
  return stack.length > 0 ? [`  kernel stack of pid ${pid}: ${stack.slice(0, 8).join(' < ')}`] : []
}

function locksOf(facts: Facts, tree: readonly Member[]): string[] {
  return facts.holders
    .filter(({ holder }) => tree.some(({ pid }) => pid === holder))
    .map(({ holder, fd, kind, mode, inode }) => {
      const file = facts.files.find((each) => each.pid === holder && each.fd === fd)?.target
      return `  pid ${holder} holds a lock (${kind} ${mode}) on ${file ?? `inode ${inode}`}`
    })
}

function who({ pid, args }: Process): string {
  return `${short(args)} (pid ${pid})`
}

function some([first, ...more]: readonly Process[]): string {
  if (!first) return ''
  return more.length > 0 ? `${who(first)} and ${more.length} more` : who(first)
}

const short = (args: string) => cut(args, 120)

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
