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

const NOTHING = 'it hosts no public address'
const LOST = 'look at ctdbd there, and at the private network'

const error = (text: string, remedy: string) => ({ state: 'error', text, remedy }) as const

/** CTDB derives Inactive from Banned and Stopped: it has no meaning of its own. */
const MEANINGS: readonly [Flag, Omit<FlagMeaning, 'name'>][] = [
  ['Disconnected', error(`no other node hears it, ${NOTHING}`, LOST)],
  ['Unknown', error(`its state is not known, ${NOTHING}`, LOST)],
  [
    'Banned',
    error(
      `${NOTHING} until the ban is over`,
      'the log of ctdbd has the reason; "ctdb unban" there ends the ban',
    ),
  ],
  [
    'Unhealthy',
    error(`a script of monitor fails, ${NOTHING}`, '"ctdb event status legacy monitor" names it'),
  ],
  ['Stopped', error(`somebody has stopped it, ${NOTHING}`, '"ctdb continue" there')],
  ['Disabled', error(`somebody has disabled it, ${NOTHING}`, '"ctdb enable" there')],
  [
    'PartiallyOnline',
    {
      state: 'warning',
      text: 'an interface of public addresses has no link',
      remedy: '"eventscript ifaces" names it',
    },
  ],
]

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
