/** How the scripts of an event ended, and which of them hang, as reported by the ctdb tool and ps. Pure. */
import type { Activity } from '../../eventd/run/component.ts'
import type { Process } from '../../eventd/hung/proc.ts'
import { Refusal } from '../../base/refusal.ts'
import type { Answer } from '../../machine/machine.ts'

export interface HandlerEnd {
  name: string
  outcome: 'ok' | 'failed' | 'timedout' | 'disabled' | 'cannot-run'
  seconds: number
  /** When it began, as CTDB prints that; absent for what did not run. */
  began?: string
  /** Lines, where CTDB prints them: before 4.19 of failures alone. */
  output?: readonly string[]
}

const OUTCOMES: Record<string, HandlerEnd['outcome']> = {
  OK: 'ok',
  ERROR: 'failed',
  TIMEDOUT: 'timedout',
  DISABLED: 'disabled',
  'CANNOT RUN': 'cannot-run',
}

/**
 * Reads `ctdb event status legacy EVENT` (CTDB's event/event_cmd.c, 4.17): a line for each script, then the script's
 * output. The exit status is that of the scripts; an event that never ran has none. Throws a Refusal with other output.
 */
export function parseEventStatus({ status, out, err }: Answer): HandlerEnd[] {
  const line =
    /^(\d\d\.\S*)\s+(OK|ERROR|TIMEDOUT|DISABLED|CANNOT RUN)\b(?: \([^)]*\))?[ \t]*(\d+\.\d+)?[ \t]*(\S.*)?\n?([^]*?)(?=^\d\d\.\S*\s+[A-Z]|$(?![^]))/gm
  const ends = [...out.matchAll(line)].map(([, name = '', word = '', seconds = '0', began, rest = '']) => ({
    name,
    outcome: OUTCOMES[word] ?? 'failed',
    seconds: Number(seconds),
    ...(began === undefined ? {} : { began }),
    ...outputIn(rest),
  }))
  if (ends.length > 0 || /has never run/.test(out)) return ends
  const seen = [out, err].join('\n').trim().split('\n').join('; ')
  const printed = seen === '' ? `nothing, exit status ${status}` : `"${seen}"`
  throw new Refusal(`"ctdb event status" printed ${printed}: expected a line for each script`)
}

/** `  OUTPUT: …`, and further lines as they are; since 4.19 several lines stand indented under the word. */
function outputIn(text: string): Pick<HandlerEnd, 'output'> {
  const output = text
    .replace(/^ {2}OUTPUT:/m, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return output.length > 0 ? { output } : {}
}

/** Seconds: twice the default of EventScriptTimeout. */
const LONGEST = 60

/** A script with its event, as ps and our event daemon show it. */
const SCRIPT = /^(?:\S+ ){0,2}\S*\/events\/[\w-]+\/(\d\d\.\S+)\.script ([a-z]+)\b/

/** Scripts that have run for more than so many seconds, by default longer than any event may, with their age, found among processes. */
export function hungAmong(processes: readonly Process[], longest = LONGEST): string[] {
  return processes.flatMap(({ args, age, pid }) => {
    const [, name, event] = SCRIPT.exec(args) ?? []
    return name !== undefined && age > longest ? `${name} ${event} (pid ${pid}, ${age} s)` : []
  })
}

/** The same for the modules in our event daemon, which are no processes. ps shows the daemon's processes. */
export function hungInside(components: readonly Activity[], longest = LONGEST): string[] {
  return components.flatMap(({ running }) =>
    running.flatMap(({ event, handler, program, ms }) => {
      const seconds = Math.floor(ms / 1000)
      if (handler === undefined || seconds <= longest || SCRIPT.test(program ?? '')) return []
      return `${handler} ${event} (in the event daemon, ${seconds} s${program === undefined ? '' : `: ${program}`})`
    }),
  )
}
