import { endsEvent } from '../report.ts'
import type { KeptRun } from './run.ts'

/**
 * The last run of an event. CTDB's own daemon starts our scripts one after the other, in the order of their names: the scripts of one event
 * are put together again. Undefined when there is no run of that event.
 */
export function lastRun(runs: readonly KeptRun[], event: string): KeptRun | undefined {
  const all = runs.filter((run) => run.event === event)
  const last = all.at(-1)
  if (last?.via !== 'script') return last
  const group = [last]
  for (const run of all.slice(0, -1).toReversed())
    if (run.via !== 'script') break
    else if (isBefore(run, group[0]!)) group.unshift(run)
    else break
  return { ...last, outcome: outcomeOf(group), handlers: group.flatMap(({ handlers }) => handlers) }
}

function isBefore(run: KeptRun, next: KeptRun): boolean {
  const name = ({ handlers: [handler] }: KeptRun) => handler?.name ?? ''
  return run.words.join(' ') === next.words.join(' ') && name(run) < name(next)
}

function outcomeOf(runs: readonly KeptRun[]): KeptRun['outcome'] {
  return runs.find(({ outcome }) => endsEvent(outcome))?.outcome ?? 'ok'
}
