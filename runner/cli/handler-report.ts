/** The end of a handler, for people. */
import type { HandlerReport, Outcome } from '../engine/report.ts'
import type { Paints } from '../format/colours.ts'

const OUTCOMES: Record<Outcome, [string, keyof Paints]> = {
  ok: ['OK', 'good'],
  failed: ['FAILED', 'bad'],
  timedout: ['TIMEDOUT', 'bad'],
  disabled: ['DISABLED', 'dim'],
  'cannot-run': ['CANNOT RUN', 'bad'],
  'not-run': ['not run', 'warn'],
}

export function paintOutcome(paints: Paints, outcome: Outcome, text: string): string {
  return paints[OUTCOMES[outcome][1]](text)
}

/** The word for an outcome, with its reason: `FAILED: …`; further lines of the reason are indented. */
export function outcomeWhy(
  paints: Paints,
  outcome: Outcome,
  why: string | undefined,
  indent: string,
): string {
  const word = paintOutcome(paints, outcome, OUTCOMES[outcome][0])
  return why === undefined ? word : `${word}: ${indented(why, indent)}`
}

/** The lines of a text, each after the first behind this indent. */
export const indented = (text: string, indent: string): string => text.replaceAll('\n', `\n${indent}`)

/** The word for an outcome, as wide as a column. */
export function outcomeWord(paints: Paints, outcome: Outcome): string {
  return paintOutcome(paints, outcome, OUTCOMES[outcome][0].padEnd(10))
}

/** A line that a handler said. */
export function saidLine(paints: Paints, line: string): string {
  return line.startsWith('WARNING') ? paints.warn(line) : line
}

export function handlerReport(paints: Paints, { name, outcome, ms, output, why }: HandlerReport): string {
  const reason = why === undefined ? '' : `  ${indented(why, '    ')}`
  return [
    `${name.padEnd(20)} ${outcomeWord(paints, outcome)} ${(ms / 1000).toFixed(3)} s${reason}`,
    ...counted(output).map((line) => `  ${saidLine(paints, indented(line, '    '))}`),
  ].join('\n')
}

/** Lines, where equal ones stand once, with their count. */
function counted(lines: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1)
  return [...counts].map(([line, count]) => (count > 1 ? `${line} (${count} times)` : line))
}
