import { whyNotRun } from '../engine/find-handlers.ts'
import { baseOf } from '../node/ctdb-path.ts'
import { toolOf } from '../node/ctdb-version.ts'
import { nodesList, nodesSourceOf, readSource, wordsOf, type NodesList } from '../net/ctdb/nodes-list.ts'
import { compareNodes, parseNodes, type ListedNode } from '../net/ctdb/nodes-file.ts'
import { refuse } from '../base/refusal.ts'
import { doorTo, type Door } from '../machine/machine.ts'
import { FileError, Interrupted, isTimeUp, TIME_UP } from '../machine/errors.ts'
import { lookingMachine } from './node-here.ts'
import type { Column } from '../format/table.ts'

export const NODE_COLUMNS: readonly Column<ListedNode>[] = [
  { name: 'Node', field: 'node', value: ({ node }) => node },
  { name: 'IP', field: 'address', value: ({ address }) => address },
  { name: 'Deleted', field: 'deleted', value: ({ deleted }) => deleted },
  { name: 'Line', field: 'line', value: ({ line }) => (line > 0 ? line : undefined) },
  { name: 'Problem', field: 'problem', value: ({ problem }) => problem, paint: () => 'bad' },
]

type Env = Readonly<Record<string, string | undefined>>

/** The list of nodes that ctdbd would read now. A command that prints the list is ended after so many seconds. */
export async function configuredNodes(env: Env, seconds: number): Promise<NodesList> {
  const where = { base: baseOf(env), ctdb: toolOf(env) }
  return await within(env, seconds, (door) => nodesList(door, where), `${where.base}/ctdb.conf`)
}

/** The list that the command line names: FILE or `!COMMAND ARGS`. */
export async function namedNodes(name: string, seconds: number): Promise<NodesList> {
  return await within({}, seconds, (door) => readSource(door, nodesSourceOf(name)), name)
}

async function within(
  env: Env,
  seconds: number,
  look: (door: Door) => Promise<NodesList>,
  name: string,
): Promise<NodesList> {
  const door = doorTo(lookingMachine(env, seconds))
  try {
    return asCtdbd(await look(door))
  } catch (error) {
    if (!(error instanceof Interrupted) && !isTimeUp(error)) throw error
    const problem = error instanceof Interrupted ? error.message : TIME_UP
    return { kind: 'command', name, text: undefined, problem, odd: [] }
  }
}

/** Refuse a script without `#!`: node would run it by a shell, ctdbd does not run it. */
function asCtdbd(list: NodesList): NodesList {
  if (list.kind === 'file' || list.text === undefined) return list
  const no = whyNotRun(wordsOf(list.name)[0] ?? '')
  return no ? { ...list, text: undefined, problem: no.why } : list
}

/** The nodes of a list, compared with another node's list when given. Throws a Refusal when a list cannot be read. */
export function nodeRows(ours: NodesList, theirs?: NodesList): ListedNode[] {
  const nodes = parseNodes(textOf(ours))
  return theirs === undefined ? nodes : compareNodes(nodes, parseNodes(textOf(theirs)), theirs.name)
}

function textOf({ name, text, problem }: NodesList): string {
  if (text !== undefined) return text
  if (problem !== undefined) return refuse(problem)
  throw new FileError('read', name, 'ENOENT')
}

/** The oddities of a list, a line each. */
export function saidOf({ name, odd }: NodesList): string[] {
  return odd.map(({ text, remedy }) => `${name}: ${text}: ${remedy}`)
}
