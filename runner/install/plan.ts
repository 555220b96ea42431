/**
 * What to do at one place, decided only by what is found there: the next run completes, or undoes, a run that was killed
 * halfway. Each single command leaves the old file or the new one in place, never nothing. Pure.
 */
import { refuse } from '../base/refusal.ts'
import type { Act } from './acts.ts'
import type { Found, Thing } from './look.ts'

export interface Plan {
  did: 'installed' | 'restored' | 'removed' | 'already' | 'absent'
  /** In the order of execution. */
  acts: Act[]
  /** The result in words, for the admin. */
  text: string
  /** What else the admin should know. */
  notes: string[]
}

export function isOurs({ here, ourLinks }: Found): boolean {
  return here.kind === 'wrapper' || (here.kind === 'link' && ourLinks.includes(here.target))
}

function isAsWanted({ here, ours, wrapper }: Found): boolean {
  if (wrapper === undefined) return here.kind === 'link' && here.target === ours
  return here.kind === 'wrapper' && here.text === wrapper && here.mode === 0o755
}

/** As the record says it: `nothing`, `link to …`, `file 755`. */
export function thingInWords(thing: Thing): string {
  if (thing.kind === 'link') return `link to ${thing.target}`
  return 'mode' in thing ? `file ${thing.mode.toString(8)}` : thing.kind
}

/** Put our file there, and keep the file that is there. */
export function planInstall(found: Found): Plan {
  mustBePlain(found)
  const { place, kept, ours, here } = found
  const { acts: keep, notes } = isOurs(found) || here.kind === 'nothing' ? NOTHING : keeping(found)
  const divert = found.diversion === 'wanted' ? [['dpkg-divert', ...diversion(found, '--add')]] : []
  // first a hard link, then a rename over the path: an event that runs meanwhile finds one of the two
  const change = isAsWanted(found) ? [] : [...draftOf(found), ['mv', '-T', found.draft, place]]
  const acts = [...keep, ...divert, ...change]
  if (acts.length === 0) return { did: 'already', acts, text: `${place} -> ${ours}`, notes }
  const stock =
    keep.length > 0 || found.stock.kind !== 'nothing'
      ? `what was there is kept as ${kept}`
      : 'nothing was there'
  return {
    did: 'installed',
    acts,
    text: `${place} -> ${ours}: ${isOurs(found) ? 'repaired' : stock}`,
    notes,
  }
}

function draftOf({ ours, wrapper, draft, drafted }: Found): Act[] {
  if (wrapper === undefined) return [['ln', '-sfT', ours, draft]]
  // writing through a link would overwrite our own handler
  const clean = drafted ? [['rm', '-f', draft]] : []
  return [...clean, { file: draft, text: wrapper }, ['chmod', '755', draft]]
}

const NOTHING = { acts: [] as string[][], notes: [] as string[] }

/** Give the present file a second name. `mv` would leave a moment without a script, in which CTDB runs none. */
function keeping(found: Found): typeof NOTHING {
  const { place, kept, spare, stock } = found
  const secondName = (name: string) => ['ln', '-PT', place, name]
  if (stock.kind === 'nothing') return { acts: [secondName(kept)], notes: [] }
  if (found.alike) return NOTHING
  const note = (which: string) => [`${spare}: ${which} is kept under this name, and stays there`]
  // with a diversion dpkg keeps the package's file current under that name; without one a package has just written a newer
  if (found.diversion === 'made')
    return { acts: [secondName(spare)], notes: note('what stood there beside the stock one') }
  return { acts: [['mv', '-T', kept, spare], secondName(kept)], notes: note('the one that was kept before') }
}

/** Put back the file that install has kept. */
export function planUninstall(found: Found, was: string | undefined): Plan {
  mustBePlain(found)
  const { place, kept, here, stock, draft } = found
  const clean = found.drafted ? [['rm', '-f', draft]] : []
  const divert = found.diversion === 'made' ? [['dpkg-divert', ...diversion(found, '--remove')]] : []
  const before = [...clean, ...divert]
  if (!isOurs(found) && here.kind !== 'nothing') return leave(found, before)
  const notes = isOurs(found) && found.leaves !== undefined ? [found.leaves] : []
  if (stock.kind !== 'nothing')
    return {
      did: 'restored',
      acts: [...before, ['mv', '-T', kept, place]],
      text: `${place}: as it was: ${thingInWords(stock)}`,
      notes,
    }
  if (here.kind === 'nothing')
    return { did: 'absent', acts: before, text: `nothing of ours at ${place}`, notes: [] }
  const lost = was !== undefined && was !== 'nothing'
  return {
    did: 'removed',
    acts: [...before, ['rm', '-f', place]],
    text: lost ? `${place}: removed` : `${place}: removed: nothing was there before`,
    notes: lost ? [`WARNING: ${kept} is gone: ${place} was a ${was}: put it back by hand`, ...notes] : notes,
  }
}

/** A file that is not ours stays: it was never replaced, or somebody has put it back. */
function leave({ place, kept, stock, alike }: Found, before: string[][]): Plan {
  const acts = alike ? [...before, ['rm', '-f', kept]] : before
  const notes =
    stock.kind === 'nothing' || alike
      ? []
      : [`WARNING: ${kept}: what install kept differs from what stands there now: compare, then remove one`]
  const did = acts.length > 0 ? 'restored' : 'absent'
  return { did, acts, text: `${place} is not ours and stays as it is`, notes }
}

function diversion({ kept, place }: Found, verb: string): string[] {
  return ['--local', '--no-rename', '--divert', kept, verb, place]
}

function mustBePlain({ place, kept, here, stock, diversion: diverted }: Found): void {
  if (typeof diverted === 'object')
    refuse(
      `${place}: dpkg diverts it to ${diverted.elsewhere}: expected no other diversion: "dpkg-divert --list ${place}" says whose it is; remove that first`,
    )
  for (const [path, thing] of [
    [place, here],
    [kept, stock],
  ] as const)
    if (thing.kind === 'other') refuse(`${path}: neither a file nor a link: expected one: move it away`)
}
