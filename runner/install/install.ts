import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Facts } from '../node/facts.ts'
import { declarationsIn } from '../engine/declarations.ts'
import { inShell, perform } from './acts.ts'
import { endWhatRuns } from './afterwards.ts'
import { interpreterFor } from './interpreter.ts'
import { lookAtPlace, thingAt, type Found, type Place } from './look.ts'
import { thingInWords, isOurs, planInstall, planUninstall, type Plan } from './plan.ts'
import { readRecord, recordFile, writeRecord, type Places } from './record.ts'
import { pathOfCtdbd, pathOfUnits, systemdFolder, type SearchPath } from './service.ts'
import { mustNotPark } from './must-not-park.ts'
import { lookAtSystemd, planNoSystemd, planSystemd } from './systemd.ts'
import { foldersOfPlaces, mustBeRoots, nodeOf, ourFiles, standIn } from './executed.ts'
import { wrapperFor } from './wrapper.ts'
import { baseOf, helpersOf } from '../node/ctdb-path.ts'
import { refuse, Usage } from '../base/refusal.ts'
import { doorTo, type Door } from '../machine/machine.ts'
import { keepStatePrivate } from '../machine/files/readers.ts'
import { live } from '../machine/live/live.ts'
import { witnessed, type Witness } from '../machine/recording/record.ts'
import { rehearsal } from '../machine/recording/rehearse.ts'
import { toBeAllowed } from '../machine/remedy/remedy.ts'

export interface InstallOptions {
  /** The folder of our built files: events.d, ctdb-eventd. */
  dist: string
  env: Facts['env']
  /** The full path of node; the node that runs this program by default. */
  node?: string
  /** Really look, but change nothing. */
  rehearse?: boolean
  /** Hears every question and every change. */
  witness?: Witness
}

/** One line of the report. */
export interface Placed extends Omit<Plan, 'acts'> {
  name: string
  place: string
  commands: string[]
}

const UNIT = 'ctdb.service'
const DAEMON_STAYS =
  "a daemon of ours that runs goes on with CTDB's scripts until ctdbd's next start: systemctl restart ctdb"

/**
 * Put our handlers, and with `eventd` our daemon, where CTDB looks for its own. Installed are the handlers that
 * always act, each other handler whose script is enabled now, and the named handlers.
 */
export async function install(
  options: InstallOptions & { names?: readonly string[]; eventd?: boolean },
): Promise<Placed[]> {
  const { dist, env, names = [], eventd = false } = options
  const all = handlerPlaces(dist, env)
  const unknown = names.find((name) => !all.some((each) => each.name === name))
  if (unknown !== undefined)
    throw new Usage(`install ${unknown}: no such handler of ours: "eventscript list" names them`)
  const handlers = all.filter(
    ({ name, place, when }) => when === 'always' || names.includes(name) || isEnabled(place),
  )
  const places = eventd ? [...handlers, eventdPlace(dist, env)] : handlers
  mustBeInstalled(places)
  const searches = await searchesOf(doorTo(live()), env)
  const warnings = mustBeRoots([
    ...ourFiles(dist),
    ...foldersOfPlaces(places, systemdFolder(env)),
    ...[searches.ctdbd, searches.unit ?? []].flat().flatMap(nodeOf),
  ])
  return await changing(options, places, async (door, record, file) => {
    const nodes = await nodesFor(door, searches, options.node)
    const found = await lookAll(door, wrapped(places, nodes.handlers), record)
    const systemd = lookAtSystemd(env, dist, (which) => nodes[which])
    const units = systemd ? [{ name: UNIT, ...planSystemd(systemd) }] : []
    const plans = found
      .map((each) => planInstall(each))
      .map((plan, i) => (i === 0 ? { ...plan, notes: [...warnings, ...nodes.notes, ...plan.notes] } : plan))
    const now = { ...record, ...Object.fromEntries(found.map((each) => [each.place, entry(each, record)])) }
    // the record comes first: after a crash the half-done work is known to be ours
    await keep(door, file, record, now)
    return await carryOut(door, options, [...found.map((each, i) => named(each, plans[i]!)), ...units])
  })
}

/** Put back everything that install has replaced, also an install that was interrupted. */
export async function uninstall(options: InstallOptions): Promise<Placed[]> {
  const { dist, env } = options
  const ours = [...handlerPlaces(dist, env), eventdPlace(dist, env)]
  return await changing(options, [], async (door, record, file) => {
    const known = new Map(ours.map((each) => [each.place, each]))
    for (const [place, { ours: link }] of Object.entries(record)) {
      const { name = basename(place, '.script'), leaves } = known.get(place) ?? {}
      known.set(place, { name, place, ours: link, words: [], leaves })
    }
    const found = (await lookAll(door, [...known.values()], record)).filter(
      (each) => each.place in record || concerns(each),
    )
    mustBeWritable(options, found)
    await mustNotPark(door, env)
    const plans = found.map((each) => named(each, planUninstall(each, record[each.place]?.was)))
    const systemd = lookAtSystemd(env, dist, () => undefined)
    const units = systemd && planNoSystemd(systemd)
    const placed = await carryOut(door, options, [...plans, ...(units ? [{ name: UNIT, ...units }] : [])])
    if (!options.rehearse) placed.at(-1)?.notes.push(...(await endWhatRuns(door, env, scriptsOf(found))))
    if (thingAt(file).kind !== 'nothing') await perform(door, ['rm', '-f', file])
    return placed
  })
}

/** The paths by which an event runs our handlers as programs. */
function scriptsOf(found: readonly Found[]): ReadonlySet<string> {
  const handlers = found.filter(({ name }) => name !== 'ctdb-eventd')
  return new Set(handlers.flatMap(({ place, ours, ourLinks }) => [place, ours, ...ourLinks]))
}

/** Ours although no record names it: it was put there by hand, or the record is lost. */
function concerns(found: Found): boolean {
  return found.diversion === 'made' || found.drafted || isOurs(found)
}

// ---------------------------------------------------------------- places

/** Each of our handlers, and the path where ctdb-eventd looks for it. */
function handlerPlaces(dist: string, env: Facts['env']): Place[] {
  const folder = join(dist, 'events.d')
  const files = existsSync(folder)
    ? readdirSync(folder).filter((file) => /^\d\d\..*\.script$/.test(file))
    : []
  if (files.length === 0)
    refuse(`${folder}: no file NN.name.script: expected the built handlers: run "npm run build" first`)
  const declared = declarationsIn(folder)
  return files.toSorted().map((file) => {
    const name = basename(file, '.script')
    const place = join(baseOf(env), 'events/legacy', file)
    const { when, leaves } = declared[name] ?? {}
    return { name, place, ours: join(folder, file), words: [join(folder, file)], when, leaves }
  })
}

function eventdPlace(dist: string, env: Facts['env']): Place {
  return {
    name: 'ctdb-eventd',
    place: join(helpersOf(env), 'ctdb-eventd'),
    ours: join(dist, 'ctdb-eventd'),
    // the same words as in dist/ctdb-eventd
    words: ['--max-semi-space-size=4', join(dist, 'runner/bin/ctdb-eventd.js')],
  }
}

/** By ctdb-eventd's rule, the owner's execute bit. A link counts as enabled even while it dangles. */
function isEnabled(place: string): boolean {
  if (thingAt(place).kind === 'link') return true
  return ((statSync(place, { throwIfNoEntry: false })?.mode ?? 0) & 0o100) !== 0
}

function mustBeInstalled(places: readonly Place[]): void {
  for (const { name, place, ours } of places) {
    if (!existsSync(ours)) refuse(`${ours}: no such file: expected ours: run "npm run build" first`)
    if (!existsSync(dirname(place)))
      refuse(`${dirname(place)}: no such folder: expected CTDB's: install ctdb, or set ${variableFor(name)}`)
    if (name === 'ctdb-eventd' && [place, `${place}.stock`].every((path) => thingAt(path).kind === 'nothing'))
      refuse(`${place}: no such file: expected CTDB's daemon: install ctdb, or set ${variableFor(name)}`)
  }
}

const variableFor = (name: string) => (name === 'ctdb-eventd' ? 'CTDB_HELPER_BINDIR' : 'CTDB_BASE')

function mustBeWritable({ rehearse }: InstallOptions, places: readonly Place[]): void {
  if (rehearse) return
  for (const folder of new Set(places.map(({ place }) => dirname(place)))) {
    try {
      if (existsSync(folder)) accessSync(folder, constants.W_OK)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      const remedy = code === 'EROFS' ? 'a file system that can be written' : toBeAllowed('CAP_DAC_OVERRIDE')
      refuse(`${folder}: this user may not write there (${code}): ${remedy}, or look with --dry-run`)
    }
  }
}

// ---------------------------------------------------------------- interpreter

interface Searches {
  ctdbd: SearchPath
  /** Of systemd's units; undefined where CTDB is no service. */
  unit?: SearchPath
}

async function searchesOf(door: Door, env: Facts['env']): Promise<Searches> {
  const ctdbd = await pathOfCtdbd(door, env)
  return systemdFolder(env) === undefined ? { ctdbd } : { ctdbd, unit: await pathOfUnits(door, env) }
}

/** The full path of node where ctdbd, or a unit of ours, would find no node in its PATH. */
async function nodesFor(
  door: Door,
  { ctdbd, unit }: Searches,
  ours = process.execPath,
): Promise<{ handlers?: string; dropIn?: string; unit?: string; notes: string[] }> {
  const [forCtdbd, forUnit] = [
    await interpreterFor(door, ctdbd, ours),
    unit && (await interpreterFor(door, unit, ours)),
  ]
  const reasons = [...new Set([forCtdbd, forUnit].flatMap((each) => (each ? [each.why] : [])))]
  const warnings = reasons.flatMap((why) =>
    mustBeRoots(standIn(ours, `${why}, and ${ours} cannot stand in for it: `)),
  )
  const notes = reasons.map((why) => `${why}: started by ${ours}, which has to stay`)
  return {
    handlers: forCtdbd?.node,
    dropIn: forCtdbd?.node,
    unit: forUnit?.node,
    notes: warnings.length > 0 ? warnings : notes,
  }
}

function wrapped(places: readonly Place[], node: string | undefined): Place[] {
  if (node === undefined) return [...places]
  return places.map((place) => ({ ...place, wrapper: wrapperFor(node, place.words) }))
}

// ---------------------------------------------------------------- acts

/** Work with the record, under its lock: two installs at once would take each other's halves for accidents. */
async function changing<T>(
  options: InstallOptions,
  places: readonly Place[],
  work: (door: Door, record: Places, file: string) => Promise<T>,
): Promise<T> {
  mustBeWritable(options, places)
  const file = recordFile(options.env)
  if (!options.rehearse) keepStatePrivate(dirname(file))
  const machine = options.rehearse ? rehearsal(live()) : live()
  const door = doorTo(options.witness ? witnessed(machine, options.witness) : machine)
  return await door.hold(`${file}.lock`, 10, async () => await work(door, await readRecord(door, file), file))
}

async function lookAll(door: Door, places: readonly Place[], record: Places): Promise<Found[]> {
  const found = []
  for (const place of places) found.push(await lookAtPlace(door, place, record[place.place]?.ours))
  return found
}

function entry({ place, ours, here }: Found, record: Places): Places[string] {
  return { ours, was: record[place]?.was ?? thingInWords(here) }
}

async function keep(door: Door, file: string, before: Places, now: Places): Promise<void> {
  if (writeRecord(before) === writeRecord(now)) return
  if (!existsSync(dirname(file))) await perform(door, ['mkdir', '-p', dirname(file)])
  await door.write(file, writeRecord(now))
}

async function carryOut(
  door: Door,
  { witness }: InstallOptions,
  planned: readonly (Plan & { name: string; place: string })[],
): Promise<Placed[]> {
  const placed: Placed[] = []
  for (const { acts, ...plan } of planned) {
    witness?.notes({ verb: 'handler', name: plan.name })
    for (const each of acts) await perform(door, each)
    for (const text of [plan.text, ...plan.notes]) witness?.notes({ verb: 'say', text })
    placed.push({ ...plan, commands: acts.map(inShell) })
  }
  return placed
}

function named({ name, place }: Place, plan: Plan): Plan & { name: string; place: string } {
  const restart =
    name === 'ctdb-eventd' && plan.acts.length > 0
      ? [
          plan.did === 'installed'
            ? 'ctdbd uses it from its next start: systemctl restart ctdb'
            : DAEMON_STAYS,
        ]
      : []
  return { name, place, ...plan, notes: [...plan.notes, ...restart] }
}
