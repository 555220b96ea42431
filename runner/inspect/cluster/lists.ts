/** The lists of nodes of all nodes, compared with that of the first that has answered: they must be the same. Pure. */
import { compareNodes, type ListedNode } from '../../net/ctdb/nodes-file.ts'
import type { NodeAnswer } from './ask-nodes.ts'

/** The rows of the first list; a row's problem says what others have in its place. */
export function comparedLists(answers: readonly NodeAnswer[]): ListedNode[] {
  const lists = answers.flatMap(({ node, answer }) =>
    Array.isArray(answer) ? [{ node, rows: listIn(answer) }] : [],
  )
  const [first, ...others] = lists
  return others.reduce(
    (rows, { node, rows: theirs }) => compareNodes(rows, theirs, `the file of node ${node}`),
    first?.rows ?? [],
  )
}

/** As `eventscript nodes --json` prints it. */
type Printed = { [K in keyof ListedNode]?: ListedNode[K] | null }

function listIn(answer: readonly Printed[]): ListedNode[] {
  return answer.map(({ node, address, deleted, line, problem }) => ({
    node: node ?? 0,
    address: address ?? undefined,
    deleted: deleted === true,
    line: line ?? 0,
    ...(problem ? { problem } : {}),
  }))
}
