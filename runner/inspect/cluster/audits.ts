/** The audits of all nodes together, and what only all of them together can tell: two owners of an address, or none. */
import { setTimeout as sleep } from 'node:timers/promises'
import { toShell } from '../../machine/argv.ts'
import type { Column } from '../../format/table.ts'
import { nodesText } from './compare.ts'
import type { NodeAnswer } from './ask-nodes.ts'
import { ownedRows, type OwnedRow } from './owners.ts'

/** A fault as `audit --json` prints it, and the node that has found it; none where all nodes together tell it. */
export interface NodeFault {
  node?: number
  state: 'error' | 'warning'
  kind: string
  subject: string
  seen: string
  expected: string
  repair?: string
}

export const NODE_FAULT_COLUMNS: readonly Column<NodeFault>[] = [
  { name: 'FoundBy', field: 'node', value: ({ node }) => node },
  { name: 'State', field: 'state', value: ({ state }) => state },
  { name: 'Kind', field: 'kind', value: ({ kind }) => kind },
  { name: 'Subject', field: 'subject', value: ({ subject }) => subject },
  { name: 'Seen', field: 'seen', value: ({ seen }) => seen },
  { name: 'Expected', field: 'expected', value: ({ expected }) => expected },
  { name: 'Repair', field: 'repair', value: ({ repair }) => repair },
]

interface AuditAnswer {
  addresses?: unknown
  faults?: readonly NodeFault[]
  trouble?: readonly string[]
}

export interface ClusterAudit {
  rows: OwnedRow[]
  faults: NodeFault[]
  /** What a node could not look at. */
  trouble: string[]
  /** The last answers. */
  answers: readonly NodeAnswer[]
}

/** Milliseconds between two rounds: an address on the move is seen on two nodes, or on none, for a moment. */
const AGAIN = 1500

/** Ask by `round`, and once more where the first round shows owners that cannot be: only what both rounds show counts. */
export async function clusterAudit(round: () => Promise<NodeAnswer[]>): Promise<ClusterAudit> {
  const first = await round()
  const wrong = ownerFaults(ownersIn(first))
  if (wrong.length === 0) return merged(first, [])
  await sleep(AGAIN)
  const second = await round()
  const lasting = ownerFaults(ownersIn(second)).filter((fault) =>
    wrong.some(({ kind, subject }) => kind === fault.kind && subject === fault.subject),
  )
  return merged(second, lasting)
}

function merged(answers: readonly NodeAnswer[], together: readonly NodeFault[]): ClusterAudit {
  const told = answers.map(({ node, answer }) => ({ node, audit: (answer ?? {}) as AuditAnswer }))
  const faults = told.flatMap(({ node, audit }) =>
    (audit.faults ?? []).map(({ repair, ...fault }) => ({
      ...fault,
      node,
      ...(repair ? { repair: `onnode ${node} ${quotedForOnnode(repair)}` } : {}),
    })),
  )
  // each node says that of the same addresses
  const unassigned = new Map(
    faults
      .filter(({ kind }) => kind === 'unassigned')
      .map(({ state, kind, subject, seen, expected }) => [subject, { state, kind, subject, seen, expected }]),
  )
  return {
    rows: ownersIn(answers),
    faults: [...together, ...unassigned.values(), ...faults.filter(({ kind }) => kind !== 'unassigned')],
    trouble: told.flatMap(({ node, audit }) => (audit.trouble ?? []).map((line) => `node ${node}: ${line}`)),
    answers,
  }
}

const ownersIn = (answers: readonly NodeAnswer[]) =>
  ownedRows(
    answers.map(({ answer, ...rest }) => ({
      ...rest,
      answer: (answer as AuditAnswer | undefined)?.addresses,
    })),
  )

/** Addresses with two owners, or with none although a node is believed to host them. Pure. */
export function ownerFaults(rows: readonly OwnedRow[]): NodeFault[] {
  return rows.flatMap(({ address, views, owners, state }): NodeFault[] => {
    const [view] = views
    const believed = view !== undefined && views.length === 1 && view.node >= 0 ? view.node : undefined
    const expected = believed === undefined ? 'one owner' : `node ${believed} alone, as CTDB says`
    if (state === 'two-owners') {
      const wrong = owners.flatMap(({ node }) => (node === believed ? [] : [node]))
      const repair = believed === undefined ? undefined : `onnode ${wrong.join(',')} eventscript audit --fix`
      const seen = `on ${nodesText(owners.map(({ node }) => node))} at once`
      return [
        { state: 'error', kind: state, subject: address, seen, expected, ...(repair ? { repair } : {}) },
      ]
    }
    if (state !== 'none' || believed === undefined) return []
    const repair = `onnode ${believed} eventscript audit --fix`
    return [{ state: 'error', kind: state, subject: address, seen: 'on no node', expected, repair }]
  })
}

/** onnode joins its words by blanks for a shell there: one word, as it was written for a shell. */
function quotedForOnnode(command: string): string {
  return /[^\w ./:=@,-]/.test(command) ? toShell([command]) : command
}
