/** Is this node healthy? No sentence says more than what is known. Pure. */
import type { ScriptStatus } from '../../eventd/protocol/messages.ts'
import { endText, failed } from '../../eventd/status-text.ts'
import type { Flag } from '../../net/ctdb/daemon-view.ts'
import { ctime } from '../../format/ctime.ts'
import { meaningsOf, type FlagMeaning } from '../node-flags.ts'
import type { Recorded } from './recorded.ts'

/** What was seen. A part that could not be looked at is a sentence that says why. */
export interface HealthSight {
  /** Handlers that were tried now, without a change, and that fail; and those of which nobody knows. */
  failing: readonly string[]
  unknown: readonly string[]
  /** The scripts at the last monitor event. */
  recorded: Recorded
  /** The flags of this node, as ctdbd has them. */
  flags: Flag[] | string
  /** Scripts that have been running for longer than scripts usually do. */
  running: readonly string[] | string
}

export interface Health {
  state: 'healthy' | 'unhealthy' | 'unknown'
  text: string
}

/** Seconds after which the last monitor event is old: by default ctdbd runs one every 15 s. */
const OLD = 120

/** Why this node is unhealthy; else why that is not known; else that it is healthy. `now` in milliseconds. */
export function concludeHealth(sight: HealthSight, now: number): Health {
  const flags = badFlags(sight)
  const failures = failuresOf(sight)
  const doubts = doubtsOf(sight, now)
  if (flags.length + failures.length > 0) {
    const head =
      flags.length > 0
        ? `This node is ${flags.map(({ name }) => name).join(' and ')}, says ctdbd`
        : 'This node is UNHEALTHY, or becomes so at the next monitor event'
    const remedies = flags.map(({ remedy }) => remedy).join(', ')
    const why = failures.length > 0 ? failures : [`no script that failed is known: ${remedies}`]
    return { state: 'unhealthy', text: `${head}: ${[...why, ...doubts].join('; ')}.` }
  }
  if (doubts.length > 0)
    return { state: 'unknown', text: `It is not known whether this node is healthy: ${doubts.join('; ')}.` }
  const scripts = sight.recorded as ScriptStatus[]
  return {
    state: 'healthy',
    text: `This node is healthy: ctdbd says so, and no script failed at the last monitor event, ${ctime(new Date(begunLast(scripts)))}.`,
  }
}

/** The flags for which this node hosts no address. */
function badFlags({ flags }: HealthSight): FlagMeaning[] {
  return typeof flags === 'string' ? [] : meaningsOf({ flags }).filter(({ state }) => state === 'error')
}

function failuresOf({ failing, recorded }: HealthSight): string[] {
  const then = typeof recorded === 'string' ? [] : recorded.filter(failed)
  return [
    ...failing.map((name) => `${name} fails now`),
    ...then.map((script) => `${script.name} at the last monitor event: ${endText(script)}`),
  ]
}

function doubtsOf({ unknown, recorded, flags, running }: HealthSight, now: number): string[] {
  return [
    ...(typeof flags === 'string' ? [flags] : []),
    ...(typeof running === 'string' ? [running] : running.map((script) => `still running: ${script}`)),
    ...(typeof recorded === 'string'
      ? [recorded]
      : [...oldness(recorded, now), ...neverSeen(unknown, recorded)]),
  ]
}

function oldness(recorded: readonly ScriptStatus[], now: number): string[] {
  if (recorded.length === 0) return ['no script ran at the last monitor event']
  const seconds = Math.round((now - begunLast(recorded)) / 1000)
  return seconds > OLD ? [`the last monitor event that has ended began ${seconds} s ago`] : []
}

function neverSeen(unknown: readonly string[], recorded: readonly ScriptStatus[]): string[] {
  const names = unknown.filter((name) => !recorded.some((script) => script.name === name))
  return names.map((name) => `${name} was not run, and no end of it is recorded`)
}

const begunLast = (scripts: readonly ScriptStatus[]) =>
  Math.max(...scripts.map(({ begin }) => begin.seconds * 1000))
