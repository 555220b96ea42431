import type { Node } from '../../node/node.ts'
import { whyNoInterface, whyNotPublic } from '../../node/events.ts'
import { refuse } from '../../base/refusal.ts'
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
 * `ADDR/BITS IFACE[,IFACE…]`, as ctdbd reads the file: blanks in front are fine, `#` begins a comment line, IPv6 may
 * stand in brackets, further words are ignored.
 */
export function parsePublicAddresses(text: string, file: string): PublicAddresses {
  const found: PublicAddresses = { entries: [], problems: [], doubtful: [] }
  const seen = new Map<string, number>()
  text.split('\n').forEach((line, i) => {
    const [first = '', second] = line.trim().split(/\s+/)
    if (first === '' || first.startsWith('#')) return
    const entry = parseLine(first, second)
    const earlier = typeof entry === 'string' ? undefined : seen.get(entry.address)
    if (typeof entry !== 'string' && earlier === undefined) {
      seen.set(entry.address, i + 1)
      found.entries.push(entry)
      return
    }
    const wrong = typeof entry === 'string' ? entry : `${entry.address} is there already, in line ${earlier}`
    const address = canonical(first.replace(/\/.*$/, ''))
    if (address && !whyNotPublic(address) && earlier === undefined) found.doubtful.push(address)
    found.problems.push(`${file} line ${i + 1}: "${line.trim()}": ${wrong}`)
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
  if (!/^\d{1,3}$/.test(bits) || Number(bits) < 1 || Number(bits) > most)
    return `"${bits}" is no netmask: expected 1 to ${most}`
  if (second === undefined) return `no interface: ${expected}`
  const ifaces = second.split(',')
  for (const name of ifaces) {
    const why = whyNoInterface(name)
    if (why) return `"${name}" is no interface name (${why}): ${expected}`
  }
  return { address, bits: Number(bits), ifaces }
}

/** The file as it stands, good lines and bad; undefined when this cluster has no public addresses. */
export async function readPublicAddresses(node: Node): Promise<PublicAddresses | undefined> {
  const file = `${node.settings.base}/public_addresses`
  const text = await node.read(file)
  return text === undefined ? undefined : parsed(file, text)
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

/** Fail the event when there are bad lines. */
export function refuseProblems({ problems }: { problems: readonly string[] }): void {
  if (problems.length === 0) return
  const more = problems.length - MOST_NAMED
  refuse([...problems.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more bad lines`] : [])].join('\n'))
}

/** The entries of the file, where a bad line must stop the event before it does anything. */
export async function publicAddresses(node: Node): Promise<PublicAddress[] | undefined> {
  const found = await readPublicAddresses(node)
  if (found) refuseProblems(found)
  return found?.entries
}
