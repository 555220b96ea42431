/** Work that an event leaves to the background: an address is announced, and parked addresses are tried again. */
import { CannotRun } from '../machine/errors.ts'
import type { Announcement } from '../machine/announcement.ts'
import type { Node } from '../node/node.ts'
import { announces } from './announces.ts'
import type { Link } from './ip-json.ts'

/** Begin the work. Where that cannot be, one WARNING says what does not come about; the event goes on. */
export async function inBackground(node: Node, announcement: Announcement, instead: string): Promise<void> {
  try {
    await node.announce(announcement)
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error
    node.say(`WARNING: ${instead}: ${error.message}`)
  }
}

/** Does it announce those of this interface? */
export function announcesOn(node: Node, link: Link): boolean {
  return link.type !== 'loopback' && link.name !== 'lo' && announces(node)
}

/**
 * Announce once the addresses that were put back where they were. What other hosts know of them still holds, so a missing
 * program is no WARNING.
 */
export async function announceAgain(node: Node, addresses: readonly string[], link: Link): Promise<void> {
  const instead = `${addresses.join(', ')}: not announced again`
  if (!announcesOn(node, link) || !(await node.find('arping'))) return node.because(instead)
  await inBackground(node, { mode: 'again', addresses, iface: link.name }, instead)
}

/** The parked addresses of this node are tried again from now on, if nobody does that already. */
export async function watchParked(node: Node): Promise<void> {
  await inBackground(node, { mode: 'parked' }, 'what is parked is not tried again until the next event')
}
