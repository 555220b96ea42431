/**
 * `announce ADDRESS INTERFACE [watch|silent|on-lo]`: look after an address that was taken, as `follow` has it, in a process of its
 * own. Started in the background by takeip and updateip, so that no event waits for it; also of use by hand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { canonical } from './net/address.ts'
import { ON_LO, ROUNDS, SILENT, WATCH } from './net/announce.ts'
import { follow } from './net/follow.ts'
import { doorTo } from './system/door.ts'
import { live } from './system/live.ts'

const door = doorTo(live())

/** Nobody reads our output any more when this runs, so it goes to the system's log as well. */
async function log(line: string): Promise<void> {
  process.stderr.write(`${line}\n`)
  if (await door.find('logger')) await door.change`logger -t eventscript -p daemon.warning ${line}`
}

const [address, iface, how] = process.argv.slice(2)
const checked = canonical(address ?? '')
if (!checked || !iface || ![undefined, WATCH, SILENT, ON_LO].includes(how)) {
  process.stderr.write(`usage: announce ADDRESS INTERFACE [${WATCH}|${SILENT}|${ON_LO}]\n`)
  process.exitCode = 2
} else
  follow(door, { address: checked, iface, onLo: how === ON_LO }, how === SILENT ? 0 : ROUNDS, {
    log,
    sleep,
  }).catch((error: unknown) => {
    process.stderr.write(`announce: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
