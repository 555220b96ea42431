/** What a handler is given, and what it is: this node of the cluster, and an act for each event. */
import type { Settings } from './settings.ts'
import type { Arguments } from './events.ts'
import { refuse } from '../base/refusal.ts'
import { announcementWords, announcerInbox, type Announcement } from '../machine/announcement.ts'
import type { Door } from '../machine/machine.ts'

/** This node of the cluster: the door to its machine, its settings, and a voice. */
export interface Node extends Door {
  settings: Settings
  /** Have an address looked after when its event is over. Rejects with CannotRun when that cannot be begun. */
  announce: (announcement: Announcement) => Promise<void>
  /** One line for the log, in the admin's words. CTDB logs every line that a handler says, at level ERROR. */
  say: (line: string) => void
  /** Why something is done or left: "explain" and recordings show it, the log does not. */
  because: (reason: string) => void
  /** Fail the event with one sentence: the subject, what was seen, what was expected, what to do. */
  refuse: (sentence: string) => never
}

/** This node, as its door, its settings and a voice make it. */
export function nodeBehind(door: Door, settings: Settings, voice: Pick<Node, 'say' | 'because'>): Node {
  return {
    ...door,
    settings,
    ...voice,
    refuse,
    async announce(announcement) {
      const inbox = announcerInbox(settings.keepdir)
      await door.change({ announcement, inbox })`${settings.announcer} ${announcementWords(announcement)}`
    },
  }
}

/** What others must know of a handler. The build writes the declarations of ours to `dist/events.d/handlers.json`. */
export interface Declaration {
  /** What the handler looks after, in a few words: `eventscript list` prints them. */
  about: string
  /**
   * `always`: `eventscript install` puts the handler in place also where no script of its name is enabled, and when ctdbd
   * is gone its `shutdown` is done whatever is enabled. `enabled`, if nothing is said: only where the admin enables it.
   */
  when?: 'always' | 'enabled'
  /** What stays on the node after `eventscript uninstall`, and the commands that remove or renew it: one sentence. */
  leaves?: string
}

/** What a handler does at each event it knows. An event that it does not name is none of its business. */
export type Handler = Declaration & {
  [E in keyof Arguments]?: (node: Node, args: Arguments[E]) => Promise<void>
} & {
  [E in 'init' | 'setup' | 'startup' | 'monitor' | 'ipreallocated' | 'shutdown']?: (
    node: Node,
  ) => Promise<void>
} & {
  [E in 'startrecovery' | 'recovered' | 'startipreallocate' | 'reconfigure']?: (node: Node) => Promise<void>
}
