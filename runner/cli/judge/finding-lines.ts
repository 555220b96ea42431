/** Findings, faults and repairs, for people. */
import type { Paints } from '../../format/colours.ts'
import type { Finding } from '../../inspect/finding.ts'
import { indented } from '../handler-report.ts'
import type { Repaired } from '../../inspect/audit/repair.ts'

/** Blanks, as wide as the word that a line begins with. */
const INDENT = '         '

/** More findings than these that say the same of different subjects are one. */
const MOST_ALIKE = 3

/**
 * The lines of all findings, in their order. Findings that differ in their subject alone, and have no remedy or the same, are one
 * with the first subjects and a count.
 */
export function allFindingLines(paints: Paints, findings: readonly Omit<Finding, 'check'>[]): string[] {
  const alike = new Map<string, Omit<Finding, 'check'>[]>()
  for (const each of findings) alike.set(likeness(each), [...(alike.get(likeness(each)) ?? []), each])
  return findings.flatMap((finding) => {
    const group = alike.get(likeness(finding)) ?? []
    if (finding.state === 'ok' || group.length <= MOST_ALIKE) return findingLines(paints, finding)
    const named = group.slice(0, MOST_ALIKE).map(({ subject }) => subject)
    const subject = `${named.join(', ')} and ${group.length - MOST_ALIKE} more`
    return group[0] === finding ? findingLines(paints, { ...finding, subject }) : []
  })
}

/** All that a finding says, without its subject. A remedy that names the subject is a command of its own. */
function likeness({ state, subject, text, remedy }: Omit<Finding, 'check'>): string {
  return JSON.stringify([state, text.replaceAll(subject, ''), remedy])
}

export function findingLines(
  paints: Paints,
  { state, subject, text, remedy }: Omit<Finding, 'check'>,
): string[] {
  const heads = {
    ok: paints.good('ok       '),
    warning: paints.warn('WARNING  '),
    error: paints.bad('ERROR    '),
  }
  return [
    `${heads[state]}${subject}: ${indented(text, INDENT)}`,
    ...(remedy === undefined ? [] : [`${INDENT}${paints.bold(`-> ${remedy}`)}`]),
  ]
}

export function repairLines(paints: Paints, { command, outcome, said }: Repaired): string[] {
  const head = outcome === 'ok' ? paints.good('done     ') : paints.bad('FAILED   ')
  return [`${head}${command}`, ...said.map((line) => `${INDENT}${indented(line, INDENT)}`)]
}
