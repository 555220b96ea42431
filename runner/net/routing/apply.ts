import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import type { Answer } from '../../machine/machine.ts'
import type { Family } from '../../inet/address.ts'
import { optionOf } from './kernel-routes.ts'
import type { Change, RoutingLine } from './plan.ts'
import { why } from '../answer.ts'

/** A line of a batch that `ip` has refused. */
export interface Failure {
  change: Change
  line: RoutingLine
  reason: string
}

/**
 * Carry out the changes of one family in one run of `ip`. A refused line does not stop the others (`-force`). Gives the
 * refused lines; rejects when `ip` could do nothing at all.
 */
export async function applyChanges(
  node: Node,
  family: Family,
  changes: readonly Change[],
  undo = false,
): Promise<Failure[]> {
  for (const change of changes) node.because(change.why)
  const all = changes.flatMap((change) => change.lines.map((line) => ({ change, line })))
  return await batch(node, [optionOf(family)], all, undo)
}

/** The same for routes of either family. */
export async function applyRoutes(
  node: Node,
  lines: readonly RoutingLine[],
): Promise<Omit<Failure, 'change'>[]> {
  return await batch(
    node,
    [],
    lines.map((line) => ({ line })),
    false,
  )
}

/** The exit status of `ip -force -batch` after it has tried all lines and failed with some. */
const REFUSED = 1

async function batch<L extends { line: RoutingLine }>(
  node: Node,
  options: readonly string[],
  all: readonly L[],
  undo: boolean,
): Promise<(L & { reason: string })[]> {
  if (all.length === 0) return []
  const input = all.map(({ line }) => `${line.text}\n`).join('')
  const answer = await node.change({ input, undo })`ip ${options} -force -batch -`
  const refused = refusedLines(answer)
  // ip stops after a line that it cannot read, or when it is killed, and does not say which line that was
  if (answer.status !== 0 && (refused.size === 0 || answer.status !== REFUSED))
    refuse(`ip cannot change the routing: ${why(answer)}`)
  return all.flatMap((each, i) => {
    const reason = refused.get(i + 1)
    return reason === undefined || isDone(each.line, reason) ? [] : [{ ...each, reason }]
  })
}

/** The failed lines of a batch, counted from 1, with the reason: `ip` prints it before `Command failed -:N`. */
export function refusedLines({ err }: Pick<Answer, 'err'>): Map<number, string> {
  const refused = new Map<number, string>()
  let reason: string[] = []
  for (const line of err.split('\n').map((each) => each.trim())) {
    const number = /^Command failed -:(\d+)$/.exec(line)?.[1]
    if (number === undefined) reason.push(line)
    else {
      const said = reason.filter((each) => each !== '').join('; ')
      refused.set(Number(number), said === '' ? 'ip does not say why' : said)
      reason = []
    }
  }
  return refused
}

/** Another event has done it meanwhile, or the kernel, when an interface went. */
function isDone({ kind }: RoutingLine, reason: string): boolean {
  if (kind === 'rule add') return /File exists/.test(reason)
  if (kind === 'route add') return false
  return /No such (file or directory|process)|table does not exist/.test(reason)
}
