/**
 * `announce ADDRESS INTERFACE [HELD-ON]`: tell the network where an address is, in rounds, while it stays there, on
 * that interface or on another (an LVS leader has it on lo). Started in the background, so that no event waits for it;
 * also of use by hand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { canonical } from './net/address.ts'
import { ROUND_MS, ROUNDS, roundOf } from './net/announce.ts'
import { parseLinks } from './net/ip.ts'
import { doorTo, type Door } from './system/door.ts'
import { live } from './system/live.ts'
import { toShell } from './system/argv.ts'

async function announce(door: Door, address: string, iface: string, heldOn: string): Promise<void> {
  const commands = await roundOf(door, address, iface)
  for (let round = 1; round <= ROUNDS; round += 1) {
    if (!(await isStillThere(door, address, heldOn))) return
    const next = sleep(round < ROUNDS ? ROUND_MS : 0)
    await Promise.all(commands.map((argv) => send(door, argv)))
    await next
  }
}

/** Another node may have it by now: then a repeat would lead the clients astray. One of scope `host` is not for the wire. */
async function isStillThere(door: Door, address: string, iface: string): Promise<boolean> {
  const { status, out } = await door.ask`ip -json addr show to ${address} dev ${iface}`
  return (
    status === 0 &&
    parseLinks(out).some((link) =>
      link.addresses.some((held) => held.address === address && held.scope !== 'host'),
    )
  )
}

/** Nobody reads our output any more when this runs, so a failure goes to the system's log. */
async function send(door: Door, argv: readonly string[]): Promise<void> {
  const { status, err } = await door.change`${argv}`
  if (status === 0 || isJustUnanswered(argv, err)) return
  const line = `announcement failed: ${toShell(argv)}: ${err.trim() || `exit status ${status}`}`
  process.stderr.write(`${line}\n`)
  if (await door.find('logger')) await door.change`logger -t eventscript -p daemon.warning ${line}`
}

/** Nobody answers an announcement; arping takes that for a failure, without a word. */
function isJustUnanswered([program]: readonly string[], err: string): boolean {
  return program === 'arping' && err.trim() === ''
}

const [address, iface, heldOn] = process.argv.slice(2)
const checked = canonical(address ?? '')
if (!checked || !iface) {
  process.stderr.write('usage: announce ADDRESS INTERFACE [HELD-ON]\n')
  process.exitCode = 2
} else
  announce(doorTo(live()), checked, iface, heldOn ?? iface).catch((error: unknown) => {
    process.stderr.write(`announce: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
