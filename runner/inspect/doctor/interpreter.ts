/** Whether ctdbd and systemd find a node for our programs. Without one a program ends with 127, although an admin's shell finds node. */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { whyNotFound, whyNotNode } from '../../install/interpreter.ts'
import { isBooted, pathHere, pathOfCtdbd, pathOfUnits, systemdFolder } from '../../install/service.ts'
import { lookAtSystemd } from '../../install/systemd.ts'
import { nodeNamedIn } from '../../install/unit-text.ts'
import { leadsTo } from '../../install/wrapper.ts'
import { helpersOf } from '../../node/ctdb-path.ts'
import { about, type Examination, type Finding, type Patient } from '../finding.ts'

/** A file of ours that CTDB or systemd starts, and the node that it names. */
export interface Started {
  place: string
  node: string | undefined
  by: 'ctdbd' | 'systemd'
  remedy: string
}

const interpreter: Examination = async (patient) => {
  const { door, facts } = patient
  const all = startedOfOurs(patient)
  if (all.length === 0) return []
  const isStarted = isStartedBySystemd(patient)
  const named = all.filter((each) => each.node !== undefined)
  const found = (await Promise.all(named.map((each) => wrongWith(patient, each)))).flat()
  for (const [by, search] of [
    ['ctdbd', pathOfCtdbd],
    ['systemd', pathOfUnits],
  ] as const) {
    const other = all.filter((each) => each.node === undefined && each.by === by)
    if (other.length === 0) continue
    const why = await whyNotFound(door, isStarted ? await search(door, facts.env) : pathHere())
    if (why !== undefined) found.push(...other.flatMap((each) => ends(each, why)))
  }
  return found.length > 0 ? found : about('node').ok('node', 'the programs that ctdbd starts find it')
}

const ends = ({ place, remedy }: Started, why: string) =>
  about('node').error(place, `${why}: it fails`, remedy)

async function wrongWith({ door }: Patient, started: Started): Promise<Finding[]> {
  const { node = '' } = started
  const why = await whyNotNode(door, node)
  return why === undefined ? [] : ends(started, `${node}: ${why}`)
}

/** What CTDB and systemd start of ours. */
export const startedOfOurs = (patient: Patient): Started[] => [...byCtdbd(patient), ...bySystemd(patient)]

/** Whether systemd starts ctdbd here, with the PATH that its files say. */
export function isStartedBySystemd({ facts }: Patient): boolean {
  const folder = systemdFolder(facts.env)
  return folder !== undefined && isBooted(folder)
}

function byCtdbd({ facts, folder, own }: Patient): Started[] {
  const eventd = join(helpersOf(facts.env), 'ctdb-eventd')
  const scripts = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.script')) : []
  const places = scripts.map((name) => ({ place: join(folder, name), remedy: 'eventscript install' }))
  return [...places, { place: eventd, remedy: 'eventscript install --eventd' }].flatMap((each) =>
    ourNode(each.place, dirname(own)).map((node) => ({ ...each, node, by: 'ctdbd' as const })),
  )
}

/** One element where the path leads to a file of ours: the node that the file names, if any. */
function ourNode(place: string, dist: string): (string | undefined)[] {
  try {
    const { program, node } = leadsTo(place)
    return program.startsWith(`${realpathSync(dist)}${sep}`) ? [node] : []
  } catch {
    // nothing is there, or a dangling link, which has an examination of its own
    return []
  }
}

/** ExecStopPost= has the PATH of the service, and so ctdbd's. */
function bySystemd({ facts, own }: Patient): Started[] {
  const systemd = lookAtSystemd(facts.env, dirname(own), (_which, here) => nodeNamedIn(here))
  if (!systemd) return []
  return [
    { ...systemd.dropIn, by: 'ctdbd' as const },
    { ...systemd.unit, by: 'systemd' as const },
  ]
    .filter(({ here, text }) => here === text)
    .map(({ place, here, by }) => ({ place, node: nodeNamedIn(here), by, remedy: 'eventscript install' }))
}

export const INTERPRETER = { interpreter }
