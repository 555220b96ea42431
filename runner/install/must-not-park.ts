import { refuse } from '../base/refusal.ts'
import type { Door } from '../machine/machine.ts'
import { parkedFile, parseParked } from '../net/dad/parked.ts'
import { keepdirOf, vardirOf } from '../node/ctdb-path.ts'
import type { Facts } from '../node/facts.ts'

/**
 * Refuses to uninstall while an address is parked here: our helper would take the address later, also when CTDB's own scripts have
 * given it to another node meanwhile.
 */
export async function mustNotPark(door: Door, env: Facts['env']): Promise<void> {
  const parked = await parkedNow(door, env)
  if (parked.length === 0) return
  refuse(
    `${fileOf(env)}: ${parked.join(', ')} parked on this node: expected none, as our helper would take it later: end the conflict, or stop ctdbd ("systemctl stop ctdb", then "eventscript cleanup"), and repeat`,
  )
}

/** The addresses that are parked on this node. */
export async function parkedNow(door: Door, env: Facts['env']): Promise<string[]> {
  return parseParked((await door.read(fileOf(env))) ?? '').map(({ address }) => address)
}

const fileOf = (env: Facts['env']) => parkedFile(keepdirOf(vardirOf(env)))
