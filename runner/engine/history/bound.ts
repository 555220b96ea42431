/** Which runs are remembered, and in how many lines. Pure. */
import type { KeptRun } from './run.ts'

/** The last runs of each kind that are kept, whatever their end. */
const LAST = 20
/** Milliseconds for which a failure is kept: 7 days. */
const FAILURES_MS = 7 * 24 * 3600 * 1000

/**
 * The runs that are kept, in their order: the last 20 of each event, by each way to run it; and every failure of the last 7 days.
 * Equal successes of `monitor` that follow each other are one line with a count; so are equal failures that are no longer among the last 20.
 * A run that is there twice counts once.
 */
export function worthKeeping(runs: readonly KeptRun[], now: number): KeptRun[] {
  const lines = joined(withoutTwins(runs), ({ event, outcome }) => event === 'monitor' && outcome === 'ok')
  const recent = lastOfEachKind(lines)
  const kept = lines.filter((run) => recent.has(run) || isFailureSince(run, now - FAILURES_MS))
  return joined(kept, (run) => run.outcome !== 'ok' && !recent.has(run))
}

/** A script has a history of its own: one event runs several of them. */
function kindOf({ via, event, handlers }: KeptRun): string {
  return [via, event, ...(via === 'script' ? handlers.map(({ name }) => name) : [])].join(' ')
}

function lastOfEachKind(runs: readonly KeptRun[]): Set<KeptRun> {
  const counts = new Map<string, number>()
  const last = new Set<KeptRun>()
  for (const run of runs.toReversed()) {
    const kind = kindOf(run)
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    if (count <= LAST) last.add(run)
  }
  return last
}

function isFailureSince({ outcome, began }: KeptRun, since: number): boolean {
  // a time that cannot be read is not yet over
  return outcome !== 'ok' && !(Date.parse(began) < since)
}

/**
 * A run is there twice when it was written to a file just as that was moved away, and when a file was read again after it was
 * counted.
 */
function withoutTwins(runs: readonly KeptRun[]): KeptRun[] {
  const counted = new Map<string, KeptRun[]>()
  for (const run of runs)
    if (run.count !== undefined) counted.set(equalOf(run), [...(counted.get(equalOf(run)) ?? []), run])
  const known = new Map<string, KeptRun>()
  for (const run of runs) {
    const id = JSON.stringify([kindOf(run), run.words, run.began])
    const sums = run.count === undefined ? counted.get(equalOf(run)) : undefined
    // the end of a script is later than its mark as unended
    if (!sums?.some((sum) => isWithin(run, sum))) known.set(id, run)
  }
  return [...known.values()]
}

const equalOf = (run: KeptRun) => `${kindOf(run)} ${endOf(run)}`

function isWithin({ began }: KeptRun, { first = '', began: last }: KeptRun): boolean {
  return first <= began && began <= last
}

/** Equal runs that follow each other in their kind, and that `may` be one line, become the last of them, with a count. */
function joined(runs: readonly KeptRun[], may: (run: KeptRun) => boolean): KeptRun[] {
  const lines: (KeptRun | undefined)[] = []
  const latest = new Map<string, { index: number; end: string }>()
  for (const run of runs) {
    const kind = kindOf(run)
    const before = latest.get(kind)
    const end = endOf(run)
    const earlier = before?.end === end && may(run) ? lines[before.index] : undefined
    if (before && earlier && may(earlier)) {
      lines[before.index] = undefined
      lines.push(together(earlier, run))
    } else lines.push(run)
    latest.set(kind, { index: lines.length - 1, end })
  }
  return lines.filter((run) => run !== undefined)
}

/** What makes two runs equal: all but their times. */
function endOf({ words, outcome, unended, handlers }: KeptRun): string {
  const ends = handlers.map(({ name, outcome: end, result, why, output }) => [name, end, result, why, output])
  return JSON.stringify([words, outcome, unended, ends])
}

function together(earlier: KeptRun, run: KeptRun): KeptRun {
  const first = earlier.first ?? earlier.began
  return { ...run, count: (earlier.count ?? 1) + (run.count ?? 1), first }
}
