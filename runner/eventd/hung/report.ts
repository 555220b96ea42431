/** The explanation of a hung script, in lines for the log. Decides only; looks at nothing. */
import { culpritOf, STATES } from './culprit.ts'
import { treeOf, type Process } from './proc.ts'
import type { HungSnapshot, ScriptProcess } from './snapshot.ts'
import { waitOf, type Wait } from './waits.ts'
import { cut, isUnknown, named, short } from './words.ts'

/** The caller may add one line. */
const MOST_LINES = 59
const MOST_LOCKS = 10
const MOST_CHARS = 400

/**
 * The lines for the log: a verdict, then what the script holds, then a line for each of its processes. `top` is the
 * pid of the script, `name` its name if known. At most 59 lines of 400 characters.
 */
export function hungReport(snapshot: HungSnapshot, top: number, name?: string): string[] {
  const tree = treeOf(snapshot.processes, top)
  if (tree.length === 0) return [`pid ${top}: has ended meanwhile, and nothing of its process group is left`]
  const waits = new Map(tree.map((each) => [each.pid, waitOf(snapshot, tree, each)]))
  const culprit = culpritOf(tree, waits)
  const script = tree.find(({ pid }) => pid === top)
  const head = script && `${name ?? nameOf(script.args)} (pid ${top}) has used ${script.age} s:`
  const lines = [
    verdict(head, top, culprit, stateWords(culprit, waits.get(culprit.pid))),
    ...lastStarted(tree),
    ...stackOf(snapshot, culprit),
    ...locksOf(snapshot, tree).slice(0, MOST_LOCKS),
    ...tree.map((each) => processLine(each, waits.get(each.pid))),
  ]
  return shortened(lines).map((line) => cut(line, MOST_CHARS))
}

/** `head` is undefined when the script itself has ended; `words` say what the culprit does. */
function verdict(head: string | undefined, top: number, culprit: Process, words: string): string {
  if (head === undefined) return `pid ${top} has ended, but left behind ${named(culprit)}, which ${words}`
  if (culprit.pid === top) return `${head} it ${words}`
  return `${head} ${named(culprit)}, started ${culprit.age} s ago, ${words}`
}

/** `10.foo` of `/bin/sh /etc/ctdb/events/legacy/10.foo.script monitor`. */
function nameOf(args: string): string {
  return /(?:^|[\s/])(\d\d\.[^\s/]*)\.script(?:\s|$)/.exec(args)?.[1] ?? short(args)
}

function stateWords({ state }: Process, wait?: Wait): string {
  const words = STATES[state] ?? `waits ${wait?.words ?? 'for something unknown'}`
  return state === 'D' ? `${words}; no signal ends it before that (state D)` : words
}

function lastStarted(tree: readonly ScriptProcess[]): string[] {
  const last = tree.toSorted((a, b) => a.age - b.age || b.pid - a.pid)[0]
  return last && tree.length > 1 ? [`  last program started: ${named(last)}, ${last.age} s ago`] : []
}

function stackOf({ stacks }: HungSnapshot, { pid }: Process): string[] {
  const stack = stacks.get(pid) ?? []
  return stack.length > 0 ? [`  kernel stack of pid ${pid}: ${stack.slice(0, 8).join(' < ')}`] : []
}

function locksOf({ holders, files }: HungSnapshot, tree: readonly ScriptProcess[]): string[] {
  return holders
    .filter(({ holder }) => tree.some(({ pid }) => pid === holder))
    .map(({ holder, fd, kind, mode, inode }) => {
      const file = files.find((each) => each.pid === holder && each.fd === fd)?.target
      return `  pid ${holder} holds a lock (${kind} ${mode}) on ${file ?? `inode ${inode}`}`
    })
}

/** A process, indented by its depth. */
function processLine(process: ScriptProcess, wait?: Wait): string {
  const { pid, args, age, state, wchan, depth } = process
  const kernel = isUnknown(wchan) ? '' : ` [${wchan}]`
  const indent = '  '.repeat(Math.min(depth, 8) + 1)
  return `${indent}pid ${pid} ${short(args)}: ${age} s old, ${state}: ${stateWords(process, wait)}${kernel}`
}

function shortened(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST_LINES
  return more > 0 ? [...lines.slice(0, MOST_LINES - 1), `  … and ${more + 1} lines more`] : lines
}
