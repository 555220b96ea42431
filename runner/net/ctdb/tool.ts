import type { Node } from '../../node/node.ts'
import { Refusal, refuse } from '../../base/refusal.ts'
import { canonical } from '../../inet/address.ts'
import { tryWrite } from '../sysctl/sysctl.ts'
import { why } from '../answer.ts'

/**
 * A table of `ctdb -X`: a header line and rows, each line begun and ended by `|`. Columns are found by name; a second
 * column of one name is called NAME2. Throws a Refusal that quotes a line that is no row of such a table.
 */
export function parseTable(text: string, columns: readonly string[]): Record<string, string>[] {
  const [header, ...lines] = text.split('\n').filter((line) => line !== '')
  if (header === undefined)
    refuse(`ctdb printed nothing: expected a table with the columns ${columns.join(', ')}`)
  if (/^No interfaces configured/.test(header)) return []
  const names: string[] = []
  for (const name of cells(header)) names.push(names.includes(name) ? `${name}2` : name)
  const missing = columns.filter((name) => !names.includes(name))
  if (missing.length > 0)
    refuse(`ctdb printed "${header}": expected a table with the columns ${columns.join(', ')}`)
  const rows = lines.map((line) => {
    const values = cells(line)
    if (values.length !== names.length)
      refuse(`ctdb printed "${line}": expected ${names.length} columns as in "${header}"`)
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))
  })
  if (!text.endsWith('\n'))
    refuse(`ctdb printed "${lines.at(-1) ?? header}" and no line end: more was to come`)
  return rows
}

function cells(line: string): string[] {
  if (!/^\|.*\|$/.test(line))
    refuse(`ctdb printed ${JSON.stringify(line)}: expected a line that begins and ends with "|"`)
  return line.slice(1, -1).split('|')
}

/** Ask the ctdb tool for a table; a sentence when there is none to be had. */
export async function table(
  node: Node,
  words: readonly string[],
  columns: readonly string[],
): Promise<Record<string, string>[] | string> {
  try {
    const answer = await node.ask`${node.settings.ctdb} -X ${words}`
    if (answer.status !== 0) return `"ctdb -X ${words.join(' ')}" failed: ${why(answer)}`
    return parseTable(answer.out, columns)
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

/** This node's number, asked once and kept in `my-pnn` as CTDB's scripts do. Rejects with a Refusal when the daemon does not say. */
export async function ownNumber(node: Node): Promise<string> {
  const file = `${node.settings.vardir}/my-pnn`
  const known = (await node.read(file))?.trim()
  if (known && /^\d+$/.test(known)) return known
  const answer = await node.ask`${node.settings.ctdb} pnn`
  const number = answer.out.trim()
  if (answer.status !== 0) refuse(`"ctdb pnn" failed: ${why(answer)}`)
  if (!/^\d+$/.test(number)) refuse(`"ctdb pnn" printed "${number}": expected a number`)
  await tryWrite(node, file, `${number}\n`)
  return number
}

/** The public addresses that this node hosts, as the daemon says; a sentence when it does not say. */
export async function hostedAccordingToDaemon(node: Node): Promise<string[] | string> {
  try {
    const number = await ownNumber(node)
    const rows = await table(node, ['ip'], ['Public IP', 'Node'])
    if (typeof rows === 'string') return rows
    return rows
      .filter((row) => row['Node'] === number)
      .flatMap((row) => canonical(row['Public IP'] ?? '') ?? [])
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}
