import { toShell } from '../../machine/argv.ts'
import { EventQueue } from './queue.ts'
import { EventRun, type EventSurroundings } from './event-run.ts'
import type { RunningEvent } from './running-event.ts'
import { ScriptLog } from './script-log.ts'
import { semaphore } from './semaphore.ts'
import { Statuses } from './statuses.ts'

/** The present work of a component, for `eventscript top`. Times in milliseconds. */
export interface Activity {
  running: {
    event: string
    words: readonly string[]
    ms: number
    handler?: string
    program?: string
    programMs?: number
  }[]
  waiting: { event: string; words: readonly string[]; ms: number }[]
}

export interface ComponentOptions extends Pick<
  EventSurroundings,
  'facts' | 'log' | 'scripts' | 'machine' | 'hung' | 'keepRun'
> {
  /** How many events that move addresses may run at once. */
  atOnce: () => number
}

/** Scripts at once: each starts several processes, and two cores are not many. */
const MOST_SCRIPTS = 4

/** The events of one folder of scripts: their queue, and how they ended (event/event_context.c of CTDB 4.17). */
export class Component {
  readonly folder: string
  readonly events: EventQueue
  readonly statuses = new Statuses()

  constructor(folder: string, { atOnce, ...options }: ComponentOptions) {
    this.folder = folder
    const surroundings: EventSurroundings = {
      ...options,
      statuses: this.statuses,
      scriptLog: new ScriptLog(options.log),
      turn: semaphore(MOST_SCRIPTS),
    }
    const run = (event: RunningEvent, early: (result: number) => void) =>
      new EventRun(event, early, surroundings).perform()
    this.events = new EventQueue(run, atOnce)
  }

  activity(): Activity {
    const now = performance.now()
    return {
      running: this.events.running().map((event) => activityOf(event, now)),
      waiting: this.events.waiting().map(({ event, words, asked }) => ({ event, words, ms: now - asked })),
    }
  }
}

function activityOf({ job, since, step }: RunningEvent, now: number): Activity['running'][number] {
  return {
    event: job.event,
    words: job.words,
    ms: now - since,
    handler: step.handler,
    program: step.argv && toShell(step.argv),
    programMs: step.since === undefined ? undefined : now - step.since,
  }
}
