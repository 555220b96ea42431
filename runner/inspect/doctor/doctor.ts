import { PUBLIC_ADDRESSES } from '../../node/handler-names.ts'
import { loadSettings } from '../../node/settings.ts'
import { baseOf, vardirOf } from '../../node/ctdb-path.ts'
import type { Facts } from '../../node/facts.ts'
import { BESIDE } from './beside/beside.ts'
import { CTDBD } from './ctdbd.ts'
import { FILES } from './files.ts'
import { FOLDER } from './folder.ts'
import { INTERPRETER } from './interpreter.ts'
import { KERNEL } from './kernel.ts'
import { LVS } from './lvs.ts'
import { PROGRAMS } from './programs.ts'
import { STATE } from './state.ts'
import { SERVICE } from './service.ts'
import { TRUST } from './trust.ts'
import { unanswered } from './unanswered.ts'
import { about, type Examination, type Finding, type Patient } from '../finding.ts'
import { familyOf } from '../../inet/address.ts'
import { parseLinks, type Link } from '../../net/ip-json.ts'
import { parsePublicAddresses } from '../../net/address/public-addresses.ts'
import { Refusal } from '../../base/refusal.ts'
import { doorTo, type Door } from '../../machine/machine.ts'
import { Interrupted, isTimeUp } from '../../machine/errors.ts'
import { forALook, lookingMachine } from '../node-here.ts'
import { configuredNodes } from '../nodes.ts'

/** Those that look at folders in this thread. */
const IN_THREAD: ReadonlySet<Examination> = new Set([
  ...Object.values(INTERPRETER),
  ...Object.values(TRUST),
  ...Object.values(FOLDER),
  FILES.options,
  STATE.state,
  STATE.trust,
])

const EXAMINATIONS: readonly [string, Examination][] = [
  ...Object.entries(PROGRAMS),
  ...Object.entries(CTDBD),
  ...Object.entries(INTERPRETER),
  ...Object.entries(KERNEL),
  ...Object.entries(BESIDE),
  ...Object.entries(TRUST),
  ...Object.entries(FOLDER),
  ...Object.entries(SERVICE),
  ...Object.entries(FILES),
  ...Object.entries(STATE),
  ...Object.entries(LVS),
]

/** Seconds for the command that prints the list of nodes: the other examinations need time as well. */
const NODES_LIMIT = 10

/** Milliseconds for all questions to ctdbd. */
const CTDB_MS = 5000

export interface DoctorOptions {
  facts: Facts
  /** The folder of our own handlers. */
  own: string
  /** Seconds for the whole. */
  limit: number
}

/**
 * Looks at everything that the handlers rely on; changes nothing. Each examination stands by itself: a failure or a lapse
 * of time is a finding, and the other examinations go on.
 */
export async function examine({ facts, own, limit }: DoctorOptions): Promise<Finding[]> {
  const options = forALook(limit)
  const door = doorTo(lookingMachine(facts.env, limit, Math.min(CTDB_MS, (limit * 1000) / 3)))
  const [patient, first] = await admit(door, facts, own, limit)
  const hanging = await unanswered(patient, options.within)
  const findings = [...first, ...hanging]
  const all = EXAMINATIONS.filter(([, look]) => hanging.length === 0 || !IN_THREAD.has(look))
  for (const [name, look] of all) findings.push(...(await reasonOr(name, () => look(patient))))
  return findings
}

async function admit(door: Door, facts: Facts, own: string, limit: number): Promise<[Patient, Finding[]]> {
  const base = baseOf(facts.env)
  const vardir = vardirOf(facts.env)
  const findings: Finding[] = []
  const settle = async <T>(name: string, look: () => Promise<T>): Promise<T | undefined> => {
    let got: T | undefined
    findings.push(
      ...(await reasonOr(name, async () => {
        got = await look()
        return []
      })),
    )
    return got
  }
  const settings = await settle('options', () => loadSettings(door, facts, PUBLIC_ADDRESSES))
  const publicAddresses = await settle('public_addresses', () => door.read(`${base}/public_addresses`))
  const nodes = await configuredNodes(facts.env, Math.min(limit, NODES_LIMIT))
  const families = parsePublicAddresses(publicAddresses ?? '', '').entries.map(({ address }) =>
    familyOf(address),
  )
  const uses = { inet: families.includes('inet'), inet6: families.includes('inet6') }
  const links = (await linksOf(door)) ?? []
  const isListUnread = findings.some(({ check }) => check === 'public_addresses')
  const rest = { publicAddresses, isListUnread, nodes, uses, links, settings }
  // the examination of the options names an unreadable file with its line
  const others = findings.filter(({ check }) => check !== 'options')
  return [{ door, facts, base, vardir, folder: facts.optionsFolder, own, ...rest }, others]
}

/** Undefined when `ip` fails, or the time is up: the examinations say why. */
async function linksOf(door: Door): Promise<readonly Link[] | undefined> {
  try {
    const { status, out } = await door.ask`ip -json addr show`
    return status === 0 ? parseLinks(out) : undefined
  } catch (error) {
    if (isTimeUp(error) || error instanceof Refusal || error instanceof Interrupted) return undefined
    throw error
  }
}

async function reasonOr(name: string, look: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look()
  } catch (error) {
    const { error: wrong } = about(name)
    if (error instanceof Refusal) return wrong(name, error.message)
    if (error instanceof Interrupted)
      return wrong(name, `${error.message}: it hangs`, 'look at it with "ps", then repeat')
    if (isTimeUp(error)) return wrong(name, 'not looked at: the time was up', 'use a larger --timeout')
    if (error instanceof Error && 'code' in error) return wrong(name, error.message)
    throw error
  }
}
