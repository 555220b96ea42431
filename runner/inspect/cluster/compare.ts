/** The differences between nodes that should have the same versions, options and public addresses. Pure. */
import { enumerated } from '../../format/names.ts'
import { about, type Finding } from '../finding.ts'
import type { NodeAnswer } from './ask-nodes.ts'
import type { Shared } from './about.ts'

const REMEDY: Record<Shared['kind'], string> = {
  version: 'bring the nodes to one version, one node after the other',
  option: 'copy the options file from the node where it is right: "onnode -P all FILE" copies it to all',
  address:
    'make the lines of public_addresses the same, then "ctdb reloadips all"; all is well where that node is not to host it',
}

const ABSENT: Record<Shared['kind'], string> = {
  version: 'not told',
  option: 'not set',
  address: 'not listed',
}

/** A finding for each thing that not all answering nodes have alike; one that says so where they do. */
export function differences(answers: readonly NodeAnswer[]): Finding[] {
  const told = answers.flatMap(({ node, answer }) => (isShared(answer) ? [{ node, rows: answer }] : []))
  const things = new Map(told.flatMap(({ rows }) => rows.map((row) => [`${row.kind} ${row.name}`, row])))
  const { ok, warn } = about('compared')
  const numbers = told.map(({ node }) => node)
  if (told.length < 2 && answers.length > 1)
    return warn('cluster', `not compared: ${told.length} of ${answers.length} nodes have answered`)
  const found = [...things.values()].flatMap(({ kind, name }) => {
    const nodes = new Map<string, number[]>()
    for (const { node, rows } of told) {
      const value = rows.find((row) => row.kind === kind && row.name === name)?.value ?? ABSENT[kind]
      nodes.set(value, [...(nodes.get(value) ?? []), node])
    }
    if (nodes.size < 2) return []
    const text = [...nodes].map(([value, of]) => `${value} on ${nodesText(of)}`).join(', ')
    return warn(`${kind} ${name}`, `${text}: expected the same everywhere`, REMEDY[kind])
  })
  if (found.length > 0) return found
  return ok('cluster', `versions, options and public addresses are the same on ${nodesText(numbers)}`)
}

/** `node 2`, `nodes 0 and 1`, `nodes 0, 1 and 2`. */
export function nodesText(numbers: readonly number[]): string {
  if (numbers.length === 0) return 'no node'
  return `${numbers.length === 1 ? 'node' : 'nodes'} ${enumerated(numbers)}`
}

function isShared(answer: unknown): answer is Shared[] {
  return (
    Array.isArray(answer) && answer.every((row) => typeof (row as Partial<Shared> | null)?.value === 'string')
  )
}
