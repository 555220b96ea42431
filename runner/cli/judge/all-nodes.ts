/** `audit` and `doctor` of the whole cluster. */
import { asObjects, asTable, formatOf, type FormatOptions } from '../../format/table.ts'
import { askAllNodes, silences, type NodeAnswer } from '../../inspect/cluster/ask-nodes.ts'
import { clusterAudit, NODE_FAULT_COLUMNS, type ClusterAudit } from '../../inspect/cluster/audits.ts'
import { differences } from '../../inspect/cluster/compare.ts'
import { OWNED_COLUMNS } from '../../inspect/cluster/owners.ts'
import { FINDING_COLUMNS, type Finding } from '../../inspect/finding.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import type { Facts } from '../../node/facts.ts'
import { SELF } from '../here.ts'
import { complain, printListing, type Output } from '../output.ts'
import { findingLines } from './finding-lines.ts'

/** The part of the time that one round of audits may take: there may be two. */
const ROUND = 0.45

async function asking(facts: Facts, seconds: number) {
  const node = await nodeHere(facts, seconds)
  return (words: readonly string[], within: number) => askAllNodes(node, facts, SELF, words, within)
}

/** Gives the exit status. */
export async function auditAllNodes(
  output: Output,
  args: FormatOptions,
  facts: Facts,
  seconds: number,
): Promise<number> {
  const ask = await asking(facts, seconds)
  const audited = await clusterAudit(() => ask(['audit'], seconds * ROUND))
  const silent = silences(audited.answers)
  const trouble = [...silent, ...audited.trouble]
  const { rows, faults } = audited
  printListing(output, args, {
    columns: NODE_FAULT_COLUMNS,
    rows: faults,
    json: {
      addresses: asObjects(OWNED_COLUMNS, rows),
      faults: asObjects(NODE_FAULT_COLUMNS, faults),
      trouble,
    },
    text: () => auditLines(output, audited, silent.length),
  })
  if (formatOf(args).kind !== 'json') trouble.forEach(complain)
  return trouble.length > 0 || faults.some(({ state }) => state === 'error') ? 1 : 0
}

function auditLines(
  { paints, width }: Output,
  { rows, faults, trouble, answers }: ClusterAudit,
  silent: number,
): string[] {
  const lines = faults.flatMap(({ node, subject, seen, expected, state, repair }) =>
    findingLines(paints, {
      state,
      subject: node === undefined ? subject : `node ${node}: ${subject}`,
      text: `${seen}: expected ${expected}`,
      ...(repair === undefined ? {} : { remedy: repair }),
    }),
  )
  const count = (wanted: 'error' | 'warning') => faults.filter(({ state }) => state === wanted).length
  const asked = `${answers.length - silent} of ${answers.length} nodes have answered`
  const found =
    faults.length > 0
      ? `${count('error')} wrong, ${count('warning')} weak`
      : silent + trouble.length > 0
        ? 'not all could be looked at'
        : 'nothing is wrong'
  return [
    ...asTable(OWNED_COLUMNS, rows, width, paints),
    ...lines,
    `${found}: ${rows.length} public addresses, ${asked}`,
  ]
}

interface NodeFinding extends Finding {
  node: number | undefined
}

export const NODE_FINDING_COLUMNS = [
  { name: 'FoundBy', field: 'node', value: ({ node }: NodeFinding) => node },
  ...FINDING_COLUMNS,
]

/** What each node's doctor finds, and the differences between nodes. Gives the exit status. */
export async function doctorAllNodes(
  output: Output,
  args: FormatOptions,
  facts: Facts,
  seconds: number,
): Promise<number> {
  const ask = await asking(facts, seconds)
  const [answers, shared] = await Promise.all([ask(['doctor'], seconds), ask(['about'], seconds)])
  const rows: NodeFinding[] = [
    ...differences(shared).map((finding) => ({ ...finding, node: undefined })),
    ...answers.flatMap(({ node, answer }) => findingsIn(answer).map((finding) => ({ ...finding, node }))),
  ]
  const silent = silences(unheard(answers, shared))
  printListing(output, args, { columns: NODE_FINDING_COLUMNS, rows, text: () => doctorLines(output, rows) })
  silent.forEach(complain)
  return silent.length > 0 || rows.some(({ state }) => state === 'error') ? 1 : 0
}

/** Nodes that have not answered one of two questions. */
function unheard(one: readonly NodeAnswer[], other: readonly NodeAnswer[]): NodeAnswer[] {
  return one.map((answer, i) =>
    answer.silent === undefined && other[i]?.silent !== undefined ? other[i] : answer,
  )
}

/** What is well on a node is only counted. */
function doctorLines({ paints }: Output, rows: readonly NodeFinding[]): string[] {
  const shown = rows.filter(({ state, node }) => state !== 'ok' || node === undefined)
  const count = (wanted: Finding['state']) => rows.filter(({ state }) => state === wanted).length
  return [
    ...shown.flatMap(({ node, subject, ...rest }) =>
      findingLines(paints, { ...rest, subject: node === undefined ? subject : `node ${node}: ${subject}` }),
    ),
    `${count('error')} to repair, ${count('warning')} to look at, ${count('ok')} well`,
  ]
}

function findingsIn(answer: unknown): Finding[] {
  return Array.isArray(answer)
    ? answer.map(({ remedy, ...finding }: Finding) => (remedy ? { ...finding, remedy } : finding))
    : []
}
