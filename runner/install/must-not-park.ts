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
  const file = parkedFile(keepdirOf(vardirOf(env)))
  const parked = parseParked((await door.read(file)) ?? '').map(({ address }) => address)
  if (parked.length === 0) return
  refuse(
    `${file}: ${parked.join(', ')} parked on this node: expected none, as our helper would take it later: end the conflict, or stop ctdbd ("systemctl stop ctdb", then "eventscript cleanup"), and repeat`,
  )
}
