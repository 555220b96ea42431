import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { refuse } from '../base/refusal.ts'
import type { Door } from '../machine/machine.ts'
import type { Declaration } from '../node/node.ts'
import { wrapperAt } from './wrapper.ts'

/** A file of ours, and the path where CTDB looks for it. */
export interface Place {
  /** `10.interface`, `ctdb-eventd`. */
  name: string
  /** Where CTDB looks. */
  place: string
  /** The full path of our file: the target of our link. */
  ours: string
  /** Node's arguments for our file. */
  words: readonly string[]
  /** For a handler: its declarations of these names. */
  when?: Declaration['when']
  leaves?: string
  /** Where CTDB finds no node: the text of the file that takes the place of the link. */
  wrapper?: string
}

/** What a path holds. */
export type Thing =
  | { kind: 'nothing' }
  | { kind: 'link'; target: string }
  | { kind: 'file'; mode: number; owner: string }
  | { kind: 'wrapper'; mode: number; text: string }
  | { kind: 'other' }

/** Everything that the plan for one place depends on. */
export interface Found extends Place {
  here: Thing
  /** The path beside it that keeps CTDB's own file while ours is in place. No such name ends in `.script`. */
  kept: string
  stock: Thing
  /** Both are the same link, or files with the same bytes, mode and owner: removing either loses nothing. */
  alike: boolean
  /** A free name beside it, for a file that is neither ours nor the kept one. */
  spare: string
  /** The path of a link or file of ours before the rename into place. Nobody else uses such a name. */
  draft: string
  drafted: boolean
  /** The targets of links that are ours: our file here, and the file that an earlier install has recorded. */
  ourLinks: readonly string[]
  /** `wanted`: a Debian package owns the path and would overwrite ours at its next upgrade. */
  diversion: 'none' | 'wanted' | 'made' | { elsewhere: string }
}

/** Looks at one place; changes nothing. */
export async function lookAtPlace(door: Door, place: Place, recorded: string | undefined): Promise<Found> {
  const kept = `${place.place}.stock`
  const draft = `${place.place}.eventscript.new`
  return {
    ...place,
    here: thingAt(place.place),
    kept,
    stock: thingAt(kept),
    alike: areAlike(place.place, kept),
    spare: freeName(kept),
    draft,
    drafted: ['link', 'wrapper'].includes(thingAt(draft).kind),
    ourLinks: recorded === undefined ? [place.ours] : [place.ours, recorded],
    diversion: await diversionOf(door, place.place, kept),
  }
}

export function thingAt(path: string): Thing {
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (!status) return { kind: 'nothing' }
  if (status.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) }
  if (!status.isFile()) return { kind: 'other' }
  const [mode, text] = [status.mode & 0o7777, wrapperAt(path)]
  if (text !== undefined) return { kind: 'wrapper', mode, text }
  return { kind: 'file', mode, owner: `${status.uid}:${status.gid}` }
}

function areAlike(one: string, other: string): boolean {
  const [a, b] = [thingAt(one), thingAt(other)]
  if (a.kind !== b.kind || JSON.stringify(a) !== JSON.stringify(b)) return false
  if (a.kind === 'file') return readFileSync(one).equals(readFileSync(other))
  return a.kind === 'link'
}

function freeName(kept: string): string {
  let number = 1
  while (thingAt(`${kept}.${number}`).kind !== 'nothing') number += 1
  return `${kept}.${number}`
}

/** Whether dpkg would write to that path, and the path to which it is diverted. */
async function diversionOf(door: Door, place: string, kept: string): Promise<Found['diversion']> {
  if ((await door.find('dpkg-divert')) === undefined) return 'none'
  const { status, out, err } = await door.ask`dpkg-divert --truename ${place}`
  if (status !== 0)
    refuse(`${place}: dpkg-divert cannot say whether it is diverted: ${err.trim()}: repair dpkg first`)
  const elsewhere = out.trim()
  if (elsewhere === kept) return 'made'
  if (elsewhere !== place) return { elsewhere }
  return (await door.ask`dpkg-query -S ${place}`).status === 0 ? 'wanted' : 'none'
}
