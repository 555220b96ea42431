/** Who besides root may write to what runs as root: the event folder, its scripts and options, and all that our files load. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { foldersOfPlaces, nodeOf, ourFiles, standIn } from '../../install/executed.ts'
import { pathHere, pathOfCtdbd, pathOfUnits, systemdFolder } from '../../install/service.ts'
import { remedyOf, wayOf, weaknesses, type Deciding, type Weakness } from '../../install/trust/judge.ts'
import { about, type Examination, type Finding, type Patient } from '../finding.ts'
import { isStartedBySystemd, startedOfOurs } from './interpreter.ts'

const ELSEWHERE = { instead: 'have it where only root writes' }

/** CTDB runs all of that as root: whoever may write to an element of a path is root at the next event. */
const trust: Examination = async (patient) => {
  const { folder } = patient
  if (!existsSync(folder)) return []
  const [rest, ours] = [[...inFolder(patient), ...(await aroundOurs(patient))], oursOf(patient)]
  const found = weaknesses(rest)
  const others = weaknesses(ours).filter(({ path }) => !found.some((each) => each.path === path))
  const count = new Set([...rest, ...ours].map(({ path }) => path)).size
  if (found.length + others.length === 0)
    return about('permissions').ok(folder, `${count} path elements, only root writes to them`)
  return [...found.flatMap((each) => finding(each)), ...firstOf(others)]
}

function finding({ path, seen, ...rest }: Weakness, more = ''): Finding[] {
  return about('permissions').error(
    path,
    `${seen}: its events run as root${more}`,
    rest.repair ?? remedyOf(rest),
  )
}

/** Our package has a thousand files, and often one owner. */
function firstOf([first, ...others]: readonly Weakness[]): Finding[] {
  if (!first) return []
  return finding(first, others.length > 0 ? `; the same of ${others.length} other paths of ours` : '')
}

function inFolder({ folder, base }: Patient): Deciding[] {
  const files = readdirSync(folder).filter(
    (name) => /^\d\d\..*\.script$/.test(name) || name.endsWith('.options'),
  )
  const sourced = ['script.options', 'functions', 'rc.local'].map((name) => join(base, name))
  const paths = [...files.map((name) => join(folder, name)), ...sourced].filter((path) => existsSync(path))
  // for a link both the folder of the link and its target count
  return [folder, ...paths].flatMap((path) => wayOf(path, { ...ELSEWHERE, isSearched: path === folder }))
}

function oursOf(patient: Patient): Deciding[] {
  return startedOfOurs(patient).length > 0 ? ourFiles(dirname(patient.own)) : []
}

/** Where our files stand, and the node that runs them. */
async function aroundOurs(patient: Patient): Promise<Deciding[]> {
  const { door, facts } = patient
  const started = startedOfOurs(patient)
  if (started.length === 0) return []
  const named = started.flatMap(({ node }) => (node === undefined ? [] : standIn(node)))
  const searches = !isStartedBySystemd(patient)
    ? [pathHere()]
    : [await pathOfCtdbd(door, facts.env), await pathOfUnits(door, facts.env)]
  const isSearched = started.some(({ node }) => node === undefined)
  return [
    ...foldersOfPlaces(started, systemdFolder(facts.env)),
    ...named,
    ...(isSearched ? searches.flatMap(nodeOf) : []),
  ]
}

export const TRUST = { trust }
