import { linesForCtdbd, trimmed } from '../../base/blanks.ts'
import { canonical } from '../../inet/address.ts'

/** A line of the list of nodes that has a node number. */
export interface ListedNode {
  node: number
  /** Canonical; undefined for a line without a readable address. */
  address: string | undefined
  /** A line that begins with `#` keeps its number: the nodes after it keep theirs. */
  deleted: boolean
  line: number
  problem?: string
  /** ctdbd passes over the problem. */
  harmless?: boolean
}

/**
 * The list of nodes as ctdbd numbers it (ctdb_read_nodes_file, ctdb/common/ctdb_util.c in 4.17): a private address a line,
 * without the blanks around it. An empty line has no number. Every line that begins with `#` uses one up, also where it is
 * meant as a comment. A CR ends the line.
 */
export function parseNodes(text: string): ListedNode[] {
  const found: ListedNode[] = []
  const first = new Map<string, ListedNode>()
  const raw = text.split('\n')
  linesForCtdbd(text).forEach((seen, i) => {
    const line = trimmed(seen)
    if (line === '') return
    const deleted = line.startsWith('#')
    const written = deleted ? trimmed(line.replace(/^#+/, '')) : line
    const address = canonical(written)
    const here = { node: found.length, address, deleted, line: i + 1 }
    const earlier = address === undefined || deleted ? undefined : first.get(address)
    const problem = problemOf(here, written, earlier)
    const rest = raw[i]?.slice(seen.length) ?? ''
    const harmless = problem === undefined && !deleted && rest !== ''
    const entry = harmless ? { ...here, problem: rest === '\r' ? CRLF : CUT, harmless } : { ...here, problem }
    found.push(entry)
    if (address !== undefined && !deleted && !earlier) first.set(address, entry)
  })
  return found
}

const CRLF = 'the line ends in CR LF, which ctdbd passes over: expected LF'
const CUT = 'a CR or NUL is in the line, and ctdbd passes over the rest: expected LF'

function problemOf(
  { node, address, deleted }: Omit<ListedNode, 'problem'>,
  written: string,
  earlier: ListedNode | undefined,
): string | undefined {
  if (deleted)
    return address === undefined && written !== ''
      ? `"${written}" is no address: to CTDB this comment is a deleted node, and takes the number ${node}`
      : undefined
  if (address === undefined)
    return `"${written}" is no IP address: expected one such as 10.0.0.1 or fd00::1, without mask or zone`
  return earlier && `${address} is there already, in line ${earlier.line}, as node ${earlier.node}`
}

/** The differences to another node's list, by number: the list must be the same everywhere, as nodes name each other by number. */
export function compareNodes(
  ours: readonly ListedNode[],
  theirs: readonly ListedNode[],
  file: string,
): ListedNode[] {
  const count = Math.max(ours.length, theirs.length)
  return Array.from({ length: count }, (_, node) => {
    const [our, their] = [ours[node], theirs[node]]
    if (!our)
      return { node, address: undefined, deleted: false, line: 0, problem: `only ${said(their, file)}` }
    if (their && our.address === their.address && our.deleted === their.deleted) return our
    const difference = their ? `but ${said(their, file)}` : `${file} has no node ${node}`
    const problem = our.harmless ? difference : [our.problem, difference].filter(Boolean).join('; ')
    return { ...our, problem, harmless: false }
  })
}

function said(node: ListedNode | undefined, file: string): string {
  const what = node?.address ?? 'no address'
  return `${file} line ${node?.line} has ${node?.deleted ? `${what}, deleted` : what}`
}
