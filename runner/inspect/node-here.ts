import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import type { Facts } from '../node/facts.ts'
import { toolOf } from '../node/ctdb-version.ts'
import type { Node } from '../node/node.ts'
import { boundCtdb } from '../net/ctdb/bounded.ts'
import { doorTo, type System } from '../machine/machine.ts'
import { live, type LiveOptions } from '../machine/live/live.ts'

/** The longest that a look waits for a file; what else can be seen is not to wait for it. In milliseconds. */
const FILE_MS = 2000

/**
 * For a machine that only looks, for so many seconds. Its programs are killed at the deadline without a grace time: the
 * programs only look as well, and our caller has a deadline of its own.
 */
export function forALook(seconds: number): LiveOptions & { within: number } {
  const signal = AbortSignal.timeout(seconds * 1000)
  return { signal, atOnce: () => true, within: Math.min(FILE_MS, seconds * 250) }
}

/** The part of that time which ctdbd has: the rest is for what can be seen without ctdbd. */
const CTDB_PART = 0.7

/** A machine for a look of so many seconds, on which the questions to ctdbd take so many milliseconds at most. */
export function lookingMachine(
  env: Readonly<Record<string, string | undefined>>,
  seconds: number,
  ctdbMs = seconds * 1000 * CTDB_PART,
): System {
  return boundCtdb(live(forALook(seconds)), toolOf(env), ctdbMs)
}

/** This node, for commands that only look. Lines for the log go to `tell`. */
export async function nodeHere(
  facts: Facts,
  seconds: number,
  tell: (line: string) => void = () => {},
): Promise<Node> {
  const door = doorTo(lookingMachine(facts.env, seconds))
  return await nodeOutsideEvents(door, facts, tell)
}
