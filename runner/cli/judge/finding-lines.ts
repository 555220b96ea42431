/** Findings, faults and repairs, for people. */
import type { Paints } from '../../format/colours.ts'
import type { Finding } from '../../inspect/finding.ts'
import type { Repaired } from '../../inspect/audit/repair.ts'

/** Blanks, as wide as the word that a line begins with. */
const INDENT = '         '

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
    `${heads[state]}${subject}: ${text}`,
    ...(remedy === undefined ? [] : [`${INDENT}${paints.bold(`-> ${remedy}`)}`]),
  ]
}

export function repairLines(paints: Paints, { command, outcome, said }: Repaired): string[] {
  const head = outcome === 'ok' ? paints.good('done     ') : paints.bad('FAILED   ')
  return [`${head}${command}`, ...said.map((line) => `${INDENT}${line}`)]
}
