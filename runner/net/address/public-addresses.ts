import type { Node } from '../../node/node.ts'
import { whyNoInterface, whyNotPublic } from '../../node/events.ts'
import { linesForCtdbd, trimmed, wordsIn } from '../../base/blanks.ts'
import { refuse } from '../../base/refusal.ts'
import { FileError } from '../../machine/errors.ts'
import { RELEASE_MS } from '../../node/settings.ts'
import { hostedFile, hostedNow } from './hosted-list.ts'
import { canonical, hostBits } from '../../inet/address.ts'

/** One line of public_addresses. */
export interface PublicAddress {
  address: string
  bits: number
  ifaces: readonly string[]
}

export interface PublicAddresses {
  entries: PublicAddress[]
  /** One sentence for each bad line, with its number. */
  problems: string[]
  /** Addresses of bad lines, where at least that much can be read. */
  doubtful: string[]
}

/**
 * `ADDR/BITS IFACE[,IFACE…]`, as ctdbd reads the file (ctdb_set_public_addresses, server/ctdb_takeover.c, 4.17): blanks in
 * front are fine, `#` begins a comment line, IPv6 may stand in brackets, empty names between commas and further words are
 * ignored, a CR ends the line.
 */
export function parsePublicAddresses(text: string, file: string): PublicAddresses {
  const found: PublicAddresses = { entries: [], problems: [], doubtful: [] }
  const seen = new Map<string, number>()
  linesForCtdbd(text).forEach((line, i) => {
    const [first = '', second] = wordsIn(line)
    if (first === '' || first.startsWith('#')) return
    const entry = parseLine(first, second)
    const earlier = typeof entry === 'string' ? undefined : seen.get(entry.address)
    if (typeof entry !== 'string' && earlier === undefined) {
      seen.set(entry.address, i + 1)
      found.entries.push(entry)
      return
    }
    const wrong = typeof entry === 'string' ? entry : `${entry.address} is there already, in line ${earlier}`
    const address = canonical(first.split('/', 1)[0] ?? '')
    if (address && !whyNotPublic(address) && earlier === undefined) found.doubtful.push(address)
    found.problems.push(`${file} line ${i + 1}: "${trimmed(line)}": ${wrong}`)
  })
  return found
}

function parseLine(first: string, second: string | undefined): PublicAddress | string {
  const expected = 'expected ADDRESS/BITS INTERFACE[,INTERFACE…]'
  const slash = first.lastIndexOf('/')
  if (slash < 0) return `no netmask: ${expected}`
  const address = canonical(first.slice(0, slash))
  if (!address) return `"${first.slice(0, slash)}" is no IP address: ${expected}`
  const kind = whyNotPublic(address)
  if (kind) return `${address} is ${kind}: ${expected}`
  const bits = first.slice(slash + 1)
  const most = hostBits(address)
  if (!/^\+?0*\d{1,3}$/.test(bits) || Number(bits) < 1 || Number(bits) > most)
    return `"${bits}" is no netmask: expected 1 to ${most}`
  if (second === undefined) return `no interface: ${expected}`
  const ifaces = second.split(',').filter((name) => name !== '')
  if (ifaces.length === 0) return `"${second}" names no interface: ${expected}`
  for (const name of ifaces) {
    const why = whyNoInterface(name)
    if (why) return `"${name}" is no interface name (${why}): ${expected}`
  }
  return { address, bits: Number(bits), ifaces }
}

/** The file as it stands, good lines and bad; undefined when this cluster has no public addresses. Rejects with a FileError. */
export async function readPublicAddresses(
  node: Node,
  how?: { within: number },
): Promise<PublicAddresses | undefined> {
  const file = `${node.settings.base}/public_addresses`
  const text = await node.read(file, how)
  return text === undefined ? undefined : parsed(file, text)
}

/**
 * Does this cluster have public addresses? A list that is there but cannot be read has some: the daemon has read the list, and
 * an event is about one of its addresses. Says so with a WARNING.
 */
export async function hasPublicAddresses(node: Node): Promise<boolean> {
  try {
    return (await readPublicAddresses(node, { within: RELEASE_MS })) !== undefined
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    node.say(`WARNING: ${error.message}: going by what the daemon said`)
    return true
  }
}

/** The same for those who only compare: a list that cannot be read is as none, after `unread` has heard why. */
export async function listIfReadable(
  node: Node,
  unread: (why: string) => void = () => {},
): Promise<PublicAddresses | undefined> {
  try {
    return await readPublicAddresses(node)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    unread(error.message)
    return undefined
  }
}

/** All addresses of a list, also those of bad lines. */
export function addressesOf({ entries, doubtful }: PublicAddresses): Set<string> {
  return new Set([...entries.map(({ address }) => address), ...doubtful])
}

/** What a node may hold, and how far that is known. */
export interface Releasable {
  addresses: ReadonlySet<string>
  /** One sentence for each bad line of the list. */
  problems: string[]
}

/**
 * The public addresses that may be on this node, to let go of them; undefined when this cluster has none. They are those of the
 * list, and those that this node has taken by `my-public-ip-addresses`: the list may have been changed since the daemon read it.
 * A list that is there but cannot be read never stops that, and a WARNING says so. Throws a Refusal when what this node has taken
 * is not known either.
 */
export async function releasableAddresses(node: Node): Promise<Releasable | undefined> {
  try {
    const found = await readPublicAddresses(node, { within: RELEASE_MS })
    if (!found) return undefined
    const listed = addressesOf(found)
    return {
      addresses: new Set([...listed, ...(await takenBesides(node, listed))]),
      problems: found.problems,
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { addresses: await taken(node, error.message), problems: [] }
  }
}

/** What this node has taken that the list does not name, or not where it can be read. */
async function takenBesides(node: Node, listed: ReadonlySet<string>): Promise<string[]> {
  const file = hostedFile(node.settings.vardir)
  try {
    const more = ((await hostedNow(node, { within: RELEASE_MS })) ?? []).filter(
      (address) => !listed.has(address),
    )
    if (more.length > 0)
      node.because(
        `this node has also taken ${more.join(', ')}, as ${file} has it: public_addresses has changed`,
      )
    return more
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    node.say(`WARNING: ${error.message}: going by public_addresses alone`)
    return []
  }
}

async function taken(node: Node, unread: string): Promise<ReadonlySet<string>> {
  const file = hostedFile(node.settings.vardir)
  const addresses = await hostedNow(node, { within: RELEASE_MS })
  if (addresses === undefined)
    return refuse(
      `${unread}; and ${file} is missing: which addresses this node has taken is not known: see "ip addr"`,
    )
  node.say(
    `WARNING: ${unread}: what counts is what this node has taken, as ${file} has it: ${addresses.join(', ') || 'nothing'}`,
  )
  return new Set(addresses)
}

/** The last file read: events that come together all read the same text. */
let last: { file: string; text: string; found: PublicAddresses } | undefined

function parsed(file: string, text: string): PublicAddresses {
  if (last?.file !== file || last.text !== text)
    last = { file, text, found: parsePublicAddresses(text, file) }
  return last.found
}

/** Bad lines that are named one by one: a file of another kind must not fill the log. */
const MOST_NAMED = 10

/**
 * The good entries, with a WARNING about the others. For events of a daemon that runs: it has read the file at its start, and
 * ends with bad lines at the next.
 */
export async function goodPublicAddresses(node: Node): Promise<PublicAddress[] | undefined> {
  const found = await readPublicAddresses(node)
  const [first, ...more] = found?.problems ?? []
  const others = more.length > 0 ? ` (and ${more.length} more bad lines)` : ''
  if (first) node.say(`WARNING: ${first}${others}: ctdbd does not start with it: mend public_addresses`)
  return found?.entries
}

/** Fail the event when there are bad lines. */
export function refuseProblems({ problems }: { problems: readonly string[] }): void {
  if (problems.length === 0) return
  const more = problems.length - MOST_NAMED
  refuse([...problems.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more bad lines`] : [])].join('\n'))
}
