/** What the flags of a node mean for its addresses, and what to do. Pure. */
import type { Flag } from '../net/ctdb/daemon-view.ts'

interface Flagged {
  flags: readonly Flag[]
}

export interface FlagMeaning {
  /** An error: the node hosts no public address. A warning: it may host fewer. */
  state: 'error' | 'warning'
  /** As the ctdb tool writes it: BANNED. */
  name: string
  /** What follows from that. */
  text: string
  remedy: string
}

/** CTDB derives Inactive from Banned and Stopped: it has no meaning of its own. */
const MEANINGS: readonly [Flag, Omit<FlagMeaning, 'name'>][] = [
  ['Disconnected', hostsNothing('no other node hears it', 'look at ctdbd there, and at the private network')],
  ['Unknown', hostsNothing('its state is not known', 'look at ctdbd there, and at the private network')],
  [
    'Banned',
    hostsNothing('until the ban is over', 'the log of ctdbd has the reason; "ctdb unban" ends the ban'),
  ],
  ['Unhealthy', hostsNothing('a script of monitor fails', '"ctdb event status legacy monitor" names it')],
  ['Stopped', hostsNothing('somebody has stopped it', '"ctdb continue" on that node')],
  ['Disabled', hostsNothing('somebody has disabled it', '"ctdb enable" on that node')],
  [
    'PartiallyOnline',
    {
      state: 'warning',
      text: 'an interface of public addresses has no link',
      remedy: '"eventscript ifaces" names it',
    },
  ],
]

function hostsNothing(why: string, remedy: string): Omit<FlagMeaning, 'name'> {
  return { state: 'error', text: `${why}: it hosts no public address`, remedy }
}

/** The worst first; none for a healthy node. Of a lost node only that counts: its other flags are old. */
export function meaningsOf({ flags }: Flagged): FlagMeaning[] {
  const known = MEANINGS.filter(([flag]) => flags.includes(flag))
  const lost = known.filter(([flag]) => flag === 'Disconnected' || flag === 'Unknown')
  return (lost.length > 0 ? lost.slice(0, 1) : known).map(([flag, meaning]) => ({
    name: flag.toUpperCase(),
    ...meaning,
  }))
}

/** The flags of a node in a word or two, as the ctdb tool writes them; `OK` for a healthy one. */
export function flagWords(node: Flagged): string {
  return (
    meaningsOf(node)
      .map(({ name }) => name)
      .join('+') || 'OK'
  )
}
