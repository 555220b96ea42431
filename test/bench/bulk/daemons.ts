/** Event daemons that get all requests at once over their sockets, as from ctdbd. */
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Client } from '../../../runner/eventd/client.ts'
import { Refusal } from '../../../runner/base/refusal.ts'
import { EVENTD, startEventd } from '../../lab/ctdb/eventd.ts'
import { builds, OTHER, otherOf, type Build } from '../builds.ts'
import { CTDB_SCRIPT } from '../contestants.ts'
import { BITS, type Family } from './addresses.ts'
import { now, within } from './clock.ts'
import {
  ANNOUNCE_MS,
  LIMIT_MS,
  OURS,
  OURS_FAST,
  OURS_OFF,
  STOCK,
  type BulkContestant,
  type BulkTask,
  type Outcome,
} from './contestants.ts'
import type { WireWatch } from './wire.ts'

/** ETIMEDOUT, as in the protocol. */
const TIMED_OUT = 110
/** The time that ctdbd gives an event, in seconds. */
const EVENT_SECONDS = 30

interface Kind {
  name: string
  program: string
  script: string
  /** The script.options of the daemon. */
  options: string
  most: BulkContestant['most']
  /** The daemon announces the addresses that it takes. For the stock daemon, ctdbd announces. */
  announces: boolean
}

const onlyIpv6: Kind['most'] = ({ family }) => (family === 'IPv6' ? 1000 : undefined)

/** Three configurations of each build. */
function kindsOf({ who, daemon, script }: Build): Kind[] {
  const common = { program: daemon, script, announces: true }
  const named = who === OTHER ? otherOf : (name: string) => name
  return [
    { ...common, name: named(OURS), options: '', most: () => 1000 },
    { ...common, name: named(OURS_FAST), options: 'EVENTSCRIPT_DAD=fast\n', most: onlyIpv6 },
    { ...common, name: named(OURS_OFF), options: 'EVENTSCRIPT_DAD=off\n', most: onlyIpv6 },
  ]
}

/** The daemons of our builds, and CTDB's where installed. CTDB's `functions` are taken from `base`. */
export async function startDaemons(base: string, wire: WireWatch, also?: string): Promise<BulkContestant[]> {
  const kinds = builds(also).flatMap(kindsOf)
  if (existsSync(EVENTD) && existsSync(CTDB_SCRIPT))
    kinds.push({
      name: STOCK,
      program: EVENTD,
      script: CTDB_SCRIPT,
      options: '',
      announces: false,
      // CTDB's daemon runs a single event at a time: 60 IPv6 take the whole 30 s, and so would 1,000 IPv4.
      most: ({ family }) => (family === 'IPv6' ? 60 : 250),
    })
  return Promise.all(kinds.map((kind) => start(kind, base, wire)))
}

async function start(kind: Kind, base: string, wire: WireWatch): Promise<BulkContestant> {
  const { program, script, options, announces } = kind
  const { dir, socket, pid, close } = await startEventd({ program, parent: process.pid, level: 'ERROR' })
  symlinkSync(script, join(dir, 'events/legacy/10.interface.script'))
  if (existsSync(join(base, 'functions'))) symlinkSync(join(base, 'functions'), join(dir, 'functions'))
  writeFileSync(join(dir, 'script.options'), options)
  return {
    name: kind.name,
    most: kind.most,
    pid,
    close,
    configure({ family }, addresses) {
      const lines = addresses.map((address) => `${address}/${BITS[family]} eth0\n`)
      writeFileSync(join(dir, 'public_addresses'), lines.join(''))
    },
    async burst(task, addresses) {
      const client = await connect(socket)
      const began = now()
      try {
        const outcome = await ask(client, task, addresses)
        return task.event === 'takeip' && announces
          ? { ...outcome, ...(await heard(wire, began, addresses)) }
          : outcome
      } finally {
        client.close()
      }
    },
  }
}

/** Sends all requests at once, and waits until the last reply or the limit. */
async function ask(client: Client, task: BulkTask, addresses: readonly string[]): Promise<Outcome> {
  const outcome: Outcome = { ms: 0, ok: 0, failed: 0, timedOut: 0, unanswered: addresses.length }
  const began = now()
  const patience = setTimeout(() => client.close(), LIMIT_MS)
  const each = async (address: string) => {
    const result = await request(client, task.event, task.family, address)
    if (result === undefined) return
    outcome.unanswered -= 1
    if (result === 0) outcome.ok += 1
    else if (result === TIMED_OUT) outcome.timedOut += 1
    else outcome.failed += 1
  }
  await Promise.all(addresses.map(each))
  clearTimeout(patience)
  return { ...outcome, ms: now() - began }
}

/** The result, or undefined when the connection has ended before. */
async function request(
  client: Client,
  event: string,
  family: Family,
  address: string,
): Promise<number | undefined> {
  const args = `eth0 ${address} ${BITS[family]}`
  const question = {
    kind: 'run',
    component: 'legacy',
    event,
    args,
    timeout: EVENT_SECONDS,
    flags: 0,
  } as const
  try {
    return (await client.request(question)).result
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Waits until each address was announced once, since that time. */
export async function heard(
  wire: WireWatch,
  began: number,
  addresses: readonly string[],
): Promise<Pick<Outcome, 'wire' | 'announced'>> {
  await within(ANNOUNCE_MS, () => wire.announced(addresses).length === addresses.length)
  const times = wire.announced(addresses)
  const all = times.length === addresses.length ? Math.max(...times) - began : undefined
  return { wire: all, announced: times.length }
}
