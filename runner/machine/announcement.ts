/**
 * What is still to be done for an address after its event: the event starts a program in the background, or the event daemon
 * does it itself. A recording holds the command of that program, so its words are written and read here only.
 */
import { canonical } from '../inet/address.ts'

/**
 * `usual`: three rounds. `watch`: the same, after the duplicate check. `silent`: the check is watched, nothing is
 * announced. `seized`: another host has the address too, so its clients hear of this node again and again. `on-lo`: the address is on
 * lo, as on an LVS leader, and reached by that interface. `again`: the addresses are where they were, one round.
 */
export type Mode = 'usual' | (typeof MODE_WORDS)[number]

/** The modes of one address that have a word. */
const MODE_WORDS = ['watch', 'silent', 'seized', 'on-lo', 'again'] as const
const AGAIN = 'again'
const PARKED = 'parked'

export type Announcement =
  | { mode: Exclude<Mode, 'again'>; address: string; iface: string }
  | { mode: 'again'; addresses: readonly string[]; iface: string }
  /** No address is announced: the parked ones are tried again and again, until none is parked. */
  | { mode: 'parked' }

/** Where the background program at work takes more announcements. `keepdir` is our folder for what stays. */
export function announcerInbox(keepdir: string): string {
  return `${keepdir}/announcer.socket`
}

/** The word by which a script that was started as a program announces, in place of an event. */
export const ANNOUNCE = '--announce'

/** The words of the background program. */
export function announcementWords(announcement: Announcement): string[] {
  switch (announcement.mode) {
    case 'parked':
      return [PARKED]
    case 'again':
      return [announcement.addresses.join(','), announcement.iface, AGAIN]
    case 'usual':
      return [announcement.address, announcement.iface]
    default:
      return [announcement.address, announcement.iface, announcement.mode]
  }
}

/** And back; undefined for words of any other form. */
export function announcementFrom(words: readonly string[]): Announcement | undefined {
  const [first = '', iface, word] = words
  if (first === PARKED && iface === undefined) return { mode: PARKED }
  const mode = word === undefined ? 'usual' : MODE_WORDS.find((each) => each === word)
  if (!iface || mode === undefined) return undefined
  if (mode === AGAIN) {
    const addresses = first.split(',').flatMap((each) => canonical(each) ?? [])
    return addresses.length > 0 ? { mode, addresses, iface } : undefined
  }
  const address = canonical(first)
  return address === undefined ? undefined : { mode, address, iface }
}

/** The forms of those words, for a usage message. */
export const ANNOUNCEMENT_FORMS = [
  `ADDRESS INTERFACE [${MODE_WORDS.filter((word) => word !== AGAIN).join('|')}]`,
  `ADDRESS,ADDRESS… INTERFACE ${AGAIN}`,
  PARKED,
]
