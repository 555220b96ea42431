/** The daemon's view of the cluster, as `ctdb -X` prints it, by the names of its columns. */
import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { Interrupted, isTimeUp, TIME_UP } from '../../machine/errors.ts'
import { canonical } from '../../inet/address.ts'
import { silentCtdbd } from './bounded.ts'
import { parseTable } from './tool.ts'
import { why } from '../answer.ts'

export interface BelievedAddress {
  address: string
  /** The node that hosts the address; -1: none. */
  node: number
  active: string[]
  available: string[]
  configured: string[]
}

export interface BelievedInterface {
  name: string
  up: boolean
  references: number
}

/** The flags of a node, in CTDB's words and order. */
export const FLAGS = [
  'Disconnected',
  'Unknown',
  'Banned',
  'Disabled',
  'Unhealthy',
  'Stopped',
  'Inactive',
  'PartiallyOnline',
] as const
export type Flag = (typeof FLAGS)[number]

export interface BelievedNode {
  node: number
  address: string
  flags: Flag[]
  here: boolean
}

/** Ask the ctdb tool; rejects with a Refusal that says why when the tool fails, is missing or does not answer in time. */
async function answer(node: Node, words: readonly string[], mayFail = false): Promise<string> {
  const { ctdb } = node.settings
  try {
    const said = await node.ask`${ctdb} ${words}`
    // the exit status of nodestatus is made of the nodes' flags: without a table it means a failure
    if (said.status !== 0 && !(mayFail && said.out !== ''))
      refuse(`"ctdb ${words.join(' ')}" failed: ${why(said)}`)
    return said.out
  } catch (error) {
    if (isTimeUp(error)) refuse(`"ctdb ${words.join(' ')}" was not asked: ${TIME_UP}`)
    if (!(error instanceof Interrupted)) throw error
    refuse(silentCtdbd(words, error.ms))
  }
}

/** The addresses that the daemon knows; `all` asks every node about its own. */
export async function believedAddresses(node: Node, all = false): Promise<BelievedAddress[]> {
  const columns = ['Public IP', 'Node', 'ActiveInterfaces', 'AvailableInterfaces', 'ConfiguredInterfaces']
  const out = await answer(node, ['-X', '-v', 'ip', ...(all ? ['all'] : [])])
  return parseTable(out, columns).map((row) => ({
    address: addressIn(row, 'Public IP'),
    node: numberIn(row, 'Node'),
    active: listIn(row['ActiveInterfaces']),
    available: listIn(row['AvailableInterfaces']),
    configured: listIn(row['ConfiguredInterfaces']),
  }))
}

export async function believedInterfaces(node: Node): Promise<BelievedInterface[]> {
  const out = await answer(node, ['-X', 'ifaces'])
  return parseTable(out, ['Name', 'LinkStatus', 'References']).map((row) => ({
    name: row['Name'] ?? '',
    up: flagIn(row, 'LinkStatus'),
    references: numberIn(row, 'References'),
  }))
}

export async function believedNodes(node: Node): Promise<BelievedNode[]> {
  const out = await answer(node, ['-X', 'nodestatus', 'all'], true)
  // PartiallyOnline is the youngest flag: an older tool has no column for it
  const rows = parseTable(out, ['Node', 'IP', ...FLAGS.slice(0, -1), 'ThisNode'])
  if (rows.length === 0) refuse('"ctdb -X nodestatus all" named no node: expected one line for each')
  return rows.map((row) => ({
    node: numberIn(row, 'Node'),
    address: addressIn(row, 'IP'),
    flags: FLAGS.filter((flag) => flag in row && flagIn(row, flag)),
    here: row['ThisNode'] === 'Y',
  }))
}

/** This node's number, as the daemon knows it. */
export async function numberHere(node: Node): Promise<number> {
  const text = (await answer(node, ['pnn'])).trim()
  if (!/^\d+$/.test(text)) refuse(`"ctdb pnn" printed "${text}": expected a number`)
  return Number(text)
}

type Row = Record<string, string>

/** Throws a Refusal that quotes the row. */
function odd(row: Row, column: string, expected: string): never {
  refuse(`ctdb printed "|${Object.values(row).join('|')}|": ${column} is no ${expected}`)
}

function addressIn(row: Row, column: string): string {
  return canonical(row[column] ?? '') ?? odd(row, column, 'IP address')
}

function numberIn(row: Row, column: string): number {
  const text = row[column] ?? ''
  return /^-?\d+$/.test(text) ? Number(text) : odd(row, column, 'number')
}

function flagIn(row: Row, column: string): boolean {
  const text = row[column] ?? ''
  return /^[01]$/.test(text) ? text === '1' : odd(row, column, '0 or 1')
}

function listIn(text = ''): string[] {
  return text.split(',').filter((name) => name !== '')
}

/** The reason in place of an answer, for a listing that shows the rest all the same. */
export async function orReason<T>(asked: Promise<T>): Promise<T | string> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof Refusal) return error.message
    // the deadline of the whole command
    if (error instanceof Interrupted) return `${error.message}: the time was over`
    if (isTimeUp(error)) return TIME_UP
    throw error
  }
}
