import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import type { Answer } from '../../machine/machine.ts'
import type { Family } from '../../inet/address.ts'
import { optionOf } from './kernel/kernel-routes.ts'
import type { Change, RoutingLine } from './plan/change.ts'
import { why } from '../answer.ts'
import { thereAlready } from './there-already.ts'

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
  const { refused } = await batch(node, [optionOf(family)], linesOf(node, changes), { undo })
  return refused
}

/** The same, with a look at the rules before the first change: `before` is what `ip -json rule show` printed. */
export async function lookAndApply(
  node: Node,
  family: Family,
  changes: readonly Change[],
): Promise<{ failures: Failure[]; before: string }> {
  const options = [optionOf(family), '-json']
  const { refused, out } = await batch(node, options, linesOf(node, changes), { look: true })
  return { failures: refused, before: out.split('\n')[0] ?? '' }
}

function linesOf(node: Node, changes: readonly Change[]): Omit<Failure, 'reason'>[] {
  for (const change of changes) node.because(change.why)
  return changes.flatMap((change) => change.lines.map((line) => ({ change, line })))
}

/** The same for routes of either family. */
export async function applyRoutes(
  node: Node,
  lines: readonly RoutingLine[],
): Promise<Omit<Failure, 'change'>[]> {
  const { refused } = await batch(
    node,
    [],
    lines.map((line) => ({ line })),
  )
  return refused
}

/** The exit status of `ip -force -batch` after it has tried all lines and failed with some. */
const REFUSED = 1

async function batch<L extends { line: RoutingLine }>(
  node: Node,
  options: readonly string[],
  all: readonly L[],
  { undo = false, look = false }: { undo?: boolean; look?: boolean } = {},
): Promise<{ refused: (L & { reason: string })[]; out: string }> {
  if (all.length === 0) return { refused: [], out: '' }
  const input = [...(look ? ['rule show'] : []), ...all.map(({ line }) => line.text)].join('\n')
  const answer = await node.change({ input: `${input}\n`, undo })`ip ${options} -force -batch -`
  const refused = refusedLines(answer)
  const isBlind = look && refused.has(1)
  // ip stops after a line that it cannot read, or when it is killed, and does not say which line that was
  if (isBlind || (answer.status !== 0 && (refused.size === 0 || answer.status !== REFUSED)))
    refuse(`ip cannot change the routing: ${why(answer)}`)
  const failures = all.flatMap((each, i) => {
    const reason = refused.get(i + (look ? 2 : 1))
    return reason === undefined || isDone(each.line, reason) ? [] : [{ ...each, reason }]
  })
  const there = await thereAlready(node, failures)
  return { refused: failures.filter(({ line }) => !there.has(line)), out: answer.out }
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

/** Another event has done it meanwhile, or the kernel, when an interface went. Of a route the words alone do not tell. */
function isDone({ kind }: RoutingLine, reason: string): boolean {
  if (kind === 'rule add') return /File exists/.test(reason)
  if (kind === 'route add') return false
  return /No such (file or directory|process)|table does not exist/.test(reason)
}
