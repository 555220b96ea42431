/** Everything that decides what root runs once our files are in place: one list, which `install` and `doctor` judge. */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { refuse } from '../base/refusal.ts'
import { nodeIn, OLDEST } from './interpreter.ts'
import type { Place } from './look.ts'
import { foldersOf, type SearchPath } from './service.ts'
import { wayOf, weaknesses, weaknessText, type Deciding } from './trust/judge.ts'
import { packagesFor } from './trust/packages.ts'

const PACKAGE = { instead: 'install the package where only root writes' }
const FOLDER = { instead: 'have this folder where only root writes' }
const NODE = { instead: `install node ${OLDEST} or newer where only root writes, as below /usr/local` }

/** Our built files, package.json, and every package that they load. */
export function ourFiles(dist: string): Deciding[] {
  const root = dirname(realpathSync(dist))
  const { found, searched } = packagesFor(root)
  const own = join(root, 'package.json')
  return [
    ...[dist, ...found].flatMap(allBelow),
    ...(existsSync(own) ? wayOf(own, PACKAGE) : []),
    ...searched.flatMap((path) => wayOf(path, { ...PACKAGE, isSearched: true })),
  ]
}

/** A link below counts with what it leads to. A name more in any of these folders may be loaded in place of another. */
function allBelow(folder: string): Deciding[] {
  const real = realpathSync(folder)
  const below = readdirSync(real, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    const isSearched = entry.isDirectory()
    return entry.isSymbolicLink() ? wayOf(path, PACKAGE) : [{ path, ...PACKAGE, isSearched }]
  })
  return [...wayOf(folder, { ...PACKAGE, isSearched: true }), ...below]
}

/** The folders in which CTDB and systemd look for names, with the files of ours there. */
export function foldersOfPlaces(places: readonly Pick<Place, 'place'>[], systemd?: string): Deciding[] {
  const units =
    systemd === undefined ? [] : ['', 'ctdb.service.d'].map((name) => join(systemd, 'system', name))
  const folders = new Set([...places.map(({ place }) => dirname(place)), ...units])
  return [...folders].flatMap((path) => wayOf(path, { ...FOLDER, isSearched: true }))
}

/** The node that a PATH finds. In a folder that comes before it another node may be put. */
export function nodeOf(search: SearchPath): Deciding[] {
  const node = nodeIn(search)
  if (node === undefined) return []
  const all = foldersOf(search)
  // the PATH of a shell only stands for ctdbd's, which is not known: whoever runs "install" has more folders in theirs
  const before = search.isGuessed ? [] : all.slice(0, all.indexOf(dirname(node)) + 1)
  return [...before.flatMap((path) => wayOf(path, { ...NODE, isSearched: true })), ...wayOf(node, NODE)]
}

/** A node that is named by its full path; `lead` says why. */
export function standIn(node: string, lead?: string): Deciding[] {
  return wayOf(node, { ...NODE, lead })
}

/** Root is refused. Other users get the warning: they can link only into their own folders, or do a dry run. */
export function mustBeRoots(all: readonly Deciding[]): string[] {
  const [first] = weaknesses(all)
  if (!first) return []
  if (process.geteuid?.() === 0) refuse(weaknessText(first))
  return [`WARNING: ${weaknessText(first)}`]
}
