/** The measured events: the initial state of each, and the proof that the event was really handled. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Task {
  name: string
  event: 'takeip' | 'monitor' | 'releaseip'
  words: readonly string[]
  address: string
  bits: number
  /** Must the address be present before? IPaddr2 only monitors an address that is present. */
  before: (contestant: string) => boolean
  after: (contestant: string) => boolean
  target?: Target
}

export interface Target {
  /** At most this multiple of the unit: a bare node, or CTDB's daemon. */
  ratio?: number
  programs?: number
  /** Milliseconds from the end of the kernel's duplicate detection to the end of the process. */
  late?: number
}

export const INTERFACES = Array.from({ length: 10 }, (_, i) => `eth${i}`)

const four = { address: '10.0.0.1', bits: 24, words: ['eth0', '10.0.0.1', '24'] }
const six = { address: 'fd00::1', bits: 64, words: ['eth0', 'fd00::1', '64'] }
const take = { event: 'takeip' as const, before: () => false, after: () => true }
const release = { event: 'releaseip' as const, before: () => true, after: () => false }
const onlyAgent = (contestant: string) => contestant === 'IPaddr2'

export const TASKS: readonly Task[] = [
  { name: 'takeip IPv4', ...take, ...four, target: { ratio: 2, programs: 6 } },
  { name: 'takeip IPv6', ...take, ...six, target: { late: 50 } },
  {
    name: 'monitor',
    event: 'monitor',
    ...four,
    words: [],
    before: onlyAgent,
    after: onlyAgent,
    target: { programs: 3 + INTERFACES.length },
  },
  { name: 'releaseip IPv4', ...release, ...four, target: { programs: 8 } },
  { name: 'releaseip IPv6', ...release, ...six, target: { programs: 8 } },
]

/** The same events over the socket of an event daemon. */
export const RESIDENT_TASKS: readonly Task[] = TASKS.filter(
  ({ name }) => name === 'monitor' || name.endsWith('IPv4'),
).map((task) => ({ ...task, target: { ...task.target, ratio: task.event === 'takeip' ? 0.5 : undefined } }))

/**
 * Puts the network and the list of hosted addresses back to the state before the task. Never part of the timed work.
 */
export function prepare(task: Task, contestant: string, vardir: string): void {
  for (const each of [four, six]) if (isHere(each.address)) ip('addr', 'del', `${each.address}/${each.bits}`)
  const present = task.before(contestant)
  const nodad = task.address.includes(':') ? ['nodad'] : ['brd', '+']
  if (present) ip('addr', 'add', `${task.address}/${task.bits}`, ...nodad)
  mkdirSync(vardir, { recursive: true })
  // A node that hosts an address has the address in its list, and releaseip removes the address.
  const hosted = task.event === 'releaseip' ? `${task.address}\n` : ''
  writeFileSync(join(vardir, 'my-public-ip-addresses'), hosted)
}

export function isDone(task: Task, contestant: string): boolean {
  return isHere(task.address) === task.after(contestant)
}

function isHere(address: string): boolean {
  return execFileSync('ip', ['-brief', 'addr', 'show', 'to', address], { encoding: 'utf8' }).trim() !== ''
}

function ip(...words: string[]): void {
  execFileSync('ip', [...words, 'dev', 'eth0'])
}
