/** When an address is announced: in how many rounds, with which pauses. */
import type { Mode } from '../../machine/announcement.ts'

/**
 * Three rounds, 1.1 s apart, as ctdbd announces: old Linux hosts ignore a second update within the ARP locktime
 * of 1 s, so faster repeats are lost, and a single one may be.
 */
const ROUNDS = 3
const ROUND_MS = 1100
/** A seized address is announced for as long as it is here: so often for a minute, then every 10 s. */
const QUICK_ROUNDS = 60
const SLOW_ROUND_MS = 10_000

/** Milliseconds to the next round, when so many have been sent. */
export function pauseAfter(rounds: number): number {
  return rounds < QUICK_ROUNDS ? ROUND_MS : SLOW_ROUND_MS
}

const ROUNDS_OF: Record<Mode, number> = {
  usual: ROUNDS,
  watch: ROUNDS,
  silent: 0,
  seized: Infinity,
  'on-lo': ROUNDS,
  again: 1,
}

export function roundsOf(mode: Mode): number {
  return ROUNDS_OF[mode]
}

/** The address is used while it is checked. */
export function isOfOptimistic(mode: Mode): boolean {
  return mode === 'watch' || mode === 'silent'
}
