import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { refuse } from '../base/refusal.ts'
import type { Door } from '../machine/machine.ts'
import { wrapperAt } from './wrapper.ts'

/** A file of ours, and where CTDB looks for it. */
export interface Place {
  /** `10.interface`, `ctdb-eventd`. */
  name: string
  /** Where CTDB looks. */
  place: string
  /** Our file, by its full path: the text of the link that we put there. */
  ours: string
  /** What node is started with for it. */
  words: readonly string[]
  /** The text of the file that is put there instead of the link, where CTDB finds no node. */
  wrapper?: string
}

/** What stands at a path. */
export type Thing =
  | { kind: 'nothing' }
  | { kind: 'link'; target: string }
  | { kind: 'file'; mode: number; owner: string }
  | { kind: 'wrapper'; mode: number; text: string }
  | { kind: 'other' }

/** Everything that a plan for one place depends on. */
export interface Found extends Place {
  here: Thing
  /** Beside it: where what CTDB shipped is kept while ours stands in its place. No name there ends in `.script`. */
  kept: string
  stock: Thing
  /** Both are the same link, or files with the same bytes, mode and owner: nothing is lost with one of them. */
  alike: boolean
  /** A free name beside it, for what is neither ours nor the one kept. */
  spare: string
  /** A link or file of ours that an install has not yet moved into place. */
  draft: string
  drafted: boolean
  /** Links that are ours: to our file here, and to the one an earlier install has recorded. */
  ourLinks: readonly string[]
  /** `wanted`: a Debian package owns the path and would write there again at its next upgrade. */
  diversion: 'none' | 'wanted' | 'made' | { elsewhere: string }
}

/** Look at one place; changes nothing. */
export async function look(door: Door, place: Place, recorded: string | undefined): Promise<Found> {
  const kept = `${place.place}.stock`
  const draft = `${place.place}.new`
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

/** Whether dpkg would write there, and where it has been told to write instead. */
async function diversionOf(door: Door, place: string, kept: string): Promise<Found['diversion']> {
  if ((await door.find('dpkg-divert')) === undefined) return 'none'
  const { status, out, err } = await door.ask`dpkg-divert --truename ${place}`
  if (status !== 0)
    refuse(`${place}: dpkg-divert cannot say whether it is diverted: ${err.trim()}: mend dpkg first`)
  const elsewhere = out.trim()
  if (elsewhere === kept) return 'made'
  if (elsewhere !== place) return { elsewhere }
  return (await door.ask`dpkg-query -S ${place}`).status === 0 ? 'wanted' : 'none'
}
