/** The source of the private addresses of the cluster's nodes: a file, or the output of a command of ctdb.conf. */
import { parseIni } from '../../base/ini.ts'
import { wordsIn } from '../../base/blanks.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import type { Door } from '../../machine/machine.ts'
import { isOlder } from '../../base/version.ts'
import { versionOf } from '../../node/ctdb-version.ts'
import { why } from '../answer.ts'

export interface NodesSource {
  kind: 'file' | 'command'
  /** The path of the file; a command as ctdb.conf has it, `!COMMAND ARGS`. */
  name: string
  /** The source in ctdb.conf, where the ctdb of this node is too old to know that key and reads `name`. */
  ignored?: string
}

/** An oddity that ctdbd passes over. */
export interface Oddity {
  text: string
  remedy: string
}

export interface NodesList extends NodesSource {
  /** As read or printed. Undefined when there is no such file, and when `problem` says why there is no text. */
  text: string | undefined
  /** The failure. Where there is a text too, ctdbd takes the text all the same. */
  problem?: string
  odd: readonly Oddity[]
}

/** Settings of a handler have these, too. */
export interface Where {
  base: string
  /** The ctdb tool as words of a command. */
  ctdb: readonly string[]
}

/** The first ctdb that knows `nodes list`. */
const SINCE = [4, 21] as const

/** The source that ctdb.conf names; nobody looks there. Throws a Refusal when ctdb.conf cannot be read, or names nothing. */
export async function nodesSource(door: Door, { base, ctdb }: Where): Promise<NodesSource> {
  const usual = { kind: 'file', name: `${base}/nodes` } as const
  const conf = `${base}/ctdb.conf`
  const value = parseIni((await door.read(conf)) ?? '').get('cluster/nodes list')
  if (value === undefined) return usual
  const version = await versionOf(door, ctdb)
  if (version && isOlder(version, SINCE)) return { ...usual, ignored: value }
  if (value === '')
    return refuse(
      `${conf}: [cluster] nodes list is empty: expected a file, or "!" and a command: ctdbd does not start`,
    )
  // ctdbd is started in /
  return value.startsWith('!') || value.startsWith('/') ? nodesSourceOf(value) : nodesSourceOf(`/${value}`)
}

/** The source for a path, or for `!COMMAND ARGS`. */
export function nodesSourceOf(written: string): NodesSource {
  return { kind: written.startsWith('!') ? 'command' : 'file', name: written }
}

/**
 * The list of nodes that ctdbd would read now. `limit`: the seconds that its command may take, where the door has no
 * deadline of its own. Never throws a Refusal.
 */
export async function nodesList(door: Door, where: Where, limit?: number): Promise<NodesList> {
  try {
    return await readSource(door, await nodesSource(door, where), limit)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { kind: 'file', name: `${where.base}/ctdb.conf`, text: undefined, problem: error.message, odd: [] }
  }
}

/** The same for a known source. */
export async function readSource(door: Door, source: NodesSource, limit?: number): Promise<NodesList> {
  const { kind, name } = source
  try {
    const list = kind === 'file' ? { text: await door.read(name) } : await printed(door, name, limit)
    return { ...source, ...list, odd: oddities(source, list.text) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ...source, text: undefined, problem: error.message, odd: oddities(source) }
  }
}

/** The output of a command. As for ctdbd, its exit status does not count. */
async function printed(
  door: Door,
  name: string,
  limit: number | undefined,
): Promise<Pick<NodesList, 'text' | 'problem'>> {
  const ended = limit === undefined ? [] : ['timeout', '-k', '1', String(limit)]
  const answer = await door.ask`${[...ended, ...wordsOf(name)]}`
  const { status, out } = answer
  if (status === 0) return { text: out }
  if (limit !== undefined && LATE.has(status)) refuse(`"${name}" was ended after ${limit} s`)
  const problem = `"${name}" failed: ${why(answer)}`
  if (out.trim() === '') return refuse(problem)
  return { text: out, problem: `${problem}: ctdbd takes what it printed all the same` }
}

/** Exit statuses of timeout(1): ended, killed; 143: ended by BusyBox's. */
const LATE: ReadonlySet<number> = new Set([124, 137, 143])

/** The words of a command, between blanks: ctdbd knows no quotes, no shell and no PATH here. */
export function wordsOf(name: string): string[] {
  const words = wordsIn(name.slice(1))
  if (words[0]?.startsWith('/')) return words
  return refuse(`"${name}": expected "!" and the full path of a program, and its arguments`)
}

function oddities(source: NodesSource, text = ''): Oddity[] {
  return [ofTheKey(source), ofTheEnd(source, text)].flatMap((odd) => odd ?? [])
}

function ofTheKey({ ignored }: NodesSource): Oddity | undefined {
  if (ignored === undefined) return undefined
  return {
    text: `ctdb.conf has "nodes list = ${ignored}", which the ctdb of this node does not know: it reads this file`,
    remedy: `install ctdb ${SINCE.join('.')} or later, or take that line out of ctdb.conf`,
  }
}

function ofTheEnd({ kind }: NodesSource, text: string): Oddity | undefined {
  if (kind === 'file' || text === '' || text.endsWith('\n')) return undefined
  return {
    text: 'the last line has no end, and ctdbd takes it as it is: expected LF',
    remedy: 'see that the command prints all of it',
  }
}
