import type { Node } from '../../node/node.ts'
import { FileError } from '../../machine/errors.ts'
import { hostedNow } from '../address/hosted-list.ts'
import { connectionsOf, endpointText, parseEndpoint, type Connection } from './connections.ts'
import { table } from '../ctdb/tool.ts'
import { tryWrite } from '../sysctl/sysctl.ts'

/**
 * Tell the daemon which clients are connected to the addresses hosted here; the node that takes an address over
 * wakes them. ctdbd's own list is asked for only when the connections are others than at the last look. That look is
 * kept in `tickles/reported`; `init` and every move of an address forget it.
 */
export async function updateTickles(node: Node): Promise<void> {
  try {
    await report(node, (await hostedNow(node)) ?? [])
  } catch (error) {
    // "monitor" is about the interfaces: a disk that fails does not make it fail
    if (!(error instanceof FileError)) throw error
    node.say(`WARNING: connections are not reported: ${error.message}`)
  }
}

async function report(node: Node, hosted: readonly string[]): Promise<void> {
  if (hosted.length === 0) return
  const connections = await connectionsOf(node, hosted)
  if (!connections) return
  const connected = lines(connections)
  const file = reportedFile(node)
  const now = [...hosted, ...connected, ''].join('\n')
  if ((await node.read(file)) === now)
    return node.because(`${connected.length} connections, all reported to the daemon already`)

  const known = new Set<string>()
  for (const address of hosted) {
    const rows = await table(node, ['gettickles', address], ['Source IP', 'Port', 'Port2'])
    if (typeof rows === 'string') return node.say(`WARNING: connections are not reported: ${rows}`)
    for (const line of lines(rows.flatMap(ofRow))) known.add(line)
  }
  const reported = new Set(connected)
  const extra = connected.filter((line) => !known.has(line))
  const stale = [...known].filter((line) => !reported.has(line))
  const text = (of: string[]) => of.map((line) => `${line}\n`).join('')
  if (extra.length > 0) await node.change({ input: text(extra) })`${node.settings.ctdb} addtickle`
  if (stale.length > 0) await node.change({ input: text(stale) })`${node.settings.ctdb} deltickle`
  // without that file the next look asks ctdbd again, which is no reason to fail
  await tryWrite(node, file, now)
}

/** An address came or went: the reported list no longer holds. */
export async function forgetTickles(node: Node): Promise<void> {
  if (await tryRead(node, reportedFile(node))) await tryWrite(node, reportedFile(node), '')
}

/** A file that cannot be read fails no takeover: the next monitor reports it. */
async function tryRead(node: Node, file: string): Promise<string | undefined> {
  try {
    return await node.read(file)
  } catch (error) {
    if (error instanceof FileError) return undefined
    throw error
  }
}

function reportedFile(node: Node): string {
  return `${node.settings.vardir}/tickles/reported`
}

/** Peer first: a tickle is sent as if it came from the client. */
function lines(connections: readonly Connection[]): string[] {
  return [...new Set(connections.map(({ peer, local }) => `${endpointText(peer)} ${endpointText(local)}`))]
}

/** 4.17 heads the third column "Destiation IP", later versions "Destination IP". */
function ofRow(row: Record<string, string>): Connection[] {
  const destination = row['Destination IP'] ?? row['Destiation IP'] ?? ''
  const peer = parseEndpoint(`${row['Source IP']}:${row['Port']}`)
  const local = parseEndpoint(`${destination}:${row['Port2']}`)
  return peer && local ? [{ peer, local }] : []
}
