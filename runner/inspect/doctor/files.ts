/** CTDB's files that the handlers read: each fault is named with its line. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readConf, whyDropped } from '../../eventd/conf/conf.ts'
import type { NodesList } from '../../net/ctdb/nodes-list.ts'
import { parseNodes, type ListedNode } from '../../net/ctdb/nodes-file.ts'
import { parsePublicAddresses } from '../../net/address/public-addresses.ts'
import { Refusal } from '../../base/refusal.ts'
import { about, type Examination, type Finding } from '../finding.ts'
import { why } from '../../net/answer.ts'

/** The line of the first CR: for ctdbd and the shell the CR is part of the last word. */
function lineOfCr(text: string): number {
  return text.split('\n').findIndex((line) => line.endsWith('\r')) + 1
}

const unixEnds = (file: string) => `sed -i 's/\\r$//' ${file}`

const options: Examination = async ({ door, base, folder, settings }) => {
  const { ok, warn, error } = about('options')
  const found: Finding[] = []
  for (const file of [join(base, 'script.options'), ...optionsIn(folder)]) {
    const text = await door.read(file)
    if (text === undefined) continue
    const line = lineOfCr(text)
    if (line > 0)
      found.push(
        ...error(file, `line ${line} ends in CR LF: every value has a CR at its end`, unixEnds(file)),
      )
    const parsed = await door.ask`sh -n ${file}`
    if (parsed.status !== 0)
      found.push(...error(file, `the shell cannot read it: ${why(parsed)}`, 'repair that line'))
  }
  for (const warning of settings?.warnings ?? []) {
    const [, text = warning, remedy] = /^WARNING: (.*): (mend .*)$/.exec(warning) ?? []
    found.push(...warn('script.options', text, remedy))
  }
  return found.length > 0 ? found : ok(base, 'the options can be read')
}

function optionsIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('.options'))
  return names.toSorted().map((name) => join(folder, name))
}

const publicAddresses: Examination = ({ base, publicAddresses: text, isListUnread, nodes }) => {
  if (isListUnread) return []
  const { ok, warn, error } = about('public_addresses')
  const file = join(base, 'public_addresses')
  if (text === undefined) return ok(file, 'no such file: this node has no public addresses')
  const line = lineOfCr(text)
  const ends =
    line > 0 ? warn(file, `line ${line} ends in CR LF: CTDB's scripts do not read it`, unixEnds(file)) : []
  const { entries, problems } = parsePublicAddresses(text, file)
  const isPrivate = new Map(
    // of two lines with one address the first counts
    parseNodes(nodes.text ?? '')
      .toReversed()
      .flatMap((node) => (node.deleted ? [] : [[node.address, node] as const])),
  )
  const both = entries.flatMap(({ address }) => {
    const node = isPrivate.get(address)
    if (!node) return []
    const seen = `${address} is the private address of node ${node.node} too (line ${node.line} of nodes)`
    return error(file, seen, 'take another public address: this one goes with its node')
  })
  const bad = problems.flatMap((problem) =>
    error(file, problem.replace(`${file} `, ''), 'repair that line: ctdbd does not start'),
  )
  const found = [...ends, ...bad, ...both]
  return found.length > 0 ? found : ok(file, `${entries.length} public addresses`)
}

const nodes: Examination = ({ facts, nodes: list }) => {
  const { ok, warn, error } = about('nodes')
  const { kind, name, text, problem, odd } = list
  const add = 'list the private address of each node'
  const repair = kind === 'command' ? 'repair that command, or [cluster] nodes list of ctdb.conf' : undefined
  const found: Finding[] = odd.flatMap((each) => warn(name, each.text, each.remedy))
  if (text === undefined) {
    if (problem === undefined) return [...found, ...error(name, 'no such file: ctdbd does not start', add)]
    // root may see another result
    const end = kind === 'command' && facts.privileged ? ': ctdbd does not start' : ''
    return [...found, ...error(name, `${problem}${end}`, repair)]
  }
  const all = parseNodes(text)
  if (problem !== undefined) found.push(...warn(name, problem, repair))
  found.push(...wrongWith(list, all))
  if (all.length === 0) return [...found, ...error(name, 'no node in it', repair ?? add)]
  return found.length > 0 ? found : ok(name, `${all.length} nodes`)
}

function wrongWith({ kind, name }: NodesList, all: readonly ListedNode[]): Finding[] {
  const { warn, error } = about('nodes')
  const harmless = all.find((node) => node.harmless)
  const lf = kind === 'file' ? unixEnds(name) : 'have the command print LF'
  const ends = harmless ? warn(name, `line ${harmless.line}: ${harmless.problem}`, lf) : []
  const others = all.flatMap(({ line, problem, deleted, harmless: passed }) => {
    if (problem === undefined || passed) return []
    return deleted
      ? warn(name, `line ${line}: ${problem}`, 'remove the comment before there is a cluster')
      : error(name, `line ${line}: ${problem}`, 'repair that line')
  })
  return [...ends, ...others]
}

const configuration: Examination = async ({ base }) => {
  const { ok, error } = about('ctdb.conf')
  const file = join(base, 'ctdb.conf')
  try {
    const unread: string[] = []
    await readConf(file, {}, (reason) => unread.push(reason))
    const [reason] = unread
    if (reason !== undefined)
      return error(file, `${reason}: CTDB goes by its defaults`, 'make it readable, or remove the link')
    const dropped = await whyDropped(file)
    if (dropped !== undefined)
      return error(file, `${dropped}: CTDB passes over the whole file, without a word`, 'repair that line')
    return ok(file, 'the settings of the event daemon can be read')
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem
    return error(file, problem.message, `repair ${file}: the event daemon does not start`)
  }
}

/** In the order in which an admin would look. */
export const FILES = { options, publicAddresses, nodes, configuration }
