/** One round: events while programs go wrong, then events that nothing disturbs, and then nothing is left. */
import type { Lab } from '../lab/lab.ts'
import { waitFor } from '../lab/wait-for.ts'
import { look, withoutState } from '../lab/remains.ts'
import { PUBLIC, Places } from './addresses.ts'
import { nextEvents, repairOf, type Happening } from './events.ts'
import type { Faults } from './faults.ts'
import type { LvsPart } from './lvs.ts'
import { litter, ruled, strays } from './leftovers.ts'
import { Random } from './random.ts'
import type { Runner } from './runners.ts'

export interface Surroundings {
  lab: Lab
  faults: Faults
  runner: Runner
  /** Events at once, of different addresses. */
  atOnce: number
  /** Each address has a rule of policy routing as long as it is there. */
  isRouted: boolean
  /** The node is one of an LVS group. */
  lvs?: LvsPart
  /** The node without anything of ours. */
  clean: string
}

export class Round {
  readonly #on: Surroundings
  readonly #random: Random
  readonly #places = new Places()
  /** What has happened, a line each. */
  readonly story: string[] = []
  events = 0

  constructor(surroundings: Surroundings, seed: number) {
    this.#on = surroundings
    this.#random = new Random(seed)
  }

  /** Rejects with what is wrong. */
  async run(disturbed: number): Promise<void> {
    for (let i = 0; i < disturbed; i++) await this.#disturb()
    this.#on.faults.stop()
    await this.#repair()
    await this.#checkRepaired()
    await this.#succeed({ words: ['shutdown'], leads: 'gone' })
    await this.#checkClean()
  }

  async #disturb(): Promise<void> {
    const { faults, runner, atOnce } = this.#on
    // LVS has no other events
    const general = this.#on.lvs ? 0.7 : 0.25
    const events = nextEvents(this.#random, this.#places, atOnce, general)
    this.#tellDaemon()
    this.#on.lvs?.elect(this.#random)
    const before = faults.injected().length
    faults.plan(this.#random, 0.2)
    const ends = await Promise.all(events.map(({ words }) => runner.run(words, 'disturbed')))
    events.forEach((event, i) => this.#note(event, ends[i]))
    this.story.push(
      ...faults
        .injected()
        .slice(before)
        .map((line) => `    fault: ${line}`),
    )
    await this.#checkPlaces()
  }

  /** Without faults every event succeeds, and the addresses are where the events say. */
  async #repair(): Promise<void> {
    for (const each of PUBLIC)
      if (this.#places.of(each) === 'either') await this.#succeed(repairOf(this.#random, each))
    await this.#succeed({ words: ['monitor'] })
    await this.#succeed({ words: ['ipreallocated'] })
  }

  async #succeed(event: Happening): Promise<void> {
    this.#tellDaemon()
    const problem = await this.#on.runner.run(event.words, 'calm')
    this.#note(event, problem)
    if (problem !== undefined) throw new Error(`${event.words.join(' ')} without a fault: ${problem}`)
    await this.#checkPlaces()
  }

  #note({ words, address, leads }: Happening, problem: string | undefined): void {
    this.events += 1
    this.story.push(`${words.join(' ')}: ${problem?.trimEnd().slice(-300) ?? 'ok'}`)
    const place = problem === undefined ? leads : leads && 'either'
    if (place === undefined) return
    if (address) this.#places.set(address, place)
    else this.#places.setAll(place)
  }

  async #checkPlaces(): Promise<void> {
    expectNone(await this.#places.wrong(this.#on.lab))
  }

  async #checkRepaired(): Promise<void> {
    const { lab, isRouted } = this.#on
    const hosted = this.#places.hosted()
    expectSame('the list of hosted addresses', lab.hosted() ?? [], hosted)
    expectSame('rules of policy routing', await ruled(lab), isRouted ? hosted : [])
    expectSame('rules of the firewall', await lab.node.dropRules(), [])
    expectNone((await this.#on.lvs?.wrong()) ?? [])
  }

  async #checkClean(): Promise<void> {
    const { lab, runner, clean } = this.#on
    const [now, before] = [withoutState(await look(lab)).split('\n'), clean.split('\n')]
    expectNone((await this.#on.lvs?.left()) ?? [])
    expectSame('the node after shutdown', now, before)
    const leavings = () => [...strays(lab, runner.own()), ...litter(lab)]
    await waitFor('processes and files to go', () => leavings().length === 0).catch(() =>
      expectNone(leavings().map((each) => `left: ${each}`)),
    )
  }

  /** The stand-in for ctdb has the addresses where they are. */
  #tellDaemon(): void {
    const { lab } = this.#on
    const hosted = new Set(this.#places.hosted())
    const rows = PUBLIC.map((each) => {
      const isHere = hosted.has(each.ip)
      return { ip: each.ip, node: isHere ? 0 : -1, active: isHere ? this.#places.of(each) : '' }
    })
    const short = rows.map(({ ip, node }) => `|${ip}|${node}|\n`)
    lab.ctdbSays('ip', `|Public IP|Node|\n${short.join('')}`)
    const header = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|'
    const long = rows.map(({ ip, node, active }) => `|${ip}|${node}|${active}|eth0,eth1|eth0,eth1|\n`)
    lab.ctdbSays('ip_-v', `${header}\n${long.join('')}`)
  }
}

function expectNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join('\n'))
}

function expectSame(what: string, found: readonly string[], wanted: readonly string[]): void {
  const more = found.filter((line) => !wanted.includes(line)).map((line) => `${what}: more: ${line}`)
  const less = wanted.filter((line) => !found.includes(line)).map((line) => `${what}: missing: ${line}`)
  expectNone([...more, ...less])
}
