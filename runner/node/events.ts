import { canonical, hostBits } from '../inet/address.ts'
import { Usage } from '../base/refusal.ts'

/** ctdbd's word for an address without a known interface (server/ctdb_takeover.c, 4.17). */
export const NO_INTERFACE = '__none__'

export interface AddressEvent {
  /** As ctdbd passed it; `__none__` only for releaseip. The kernel may know better. */
  iface: string
  /** In canonical form. */
  address: string
  bits: number
}

export interface UpdateEvent {
  /** Where ctdbd believes the address to be, or `__none__`. */
  from: string
  to: string
  address: string
  bits: number
}

/** The events that carry words, and what the words become. All others carry none that we know of. */
export interface Arguments {
  takeip: AddressEvent
  releaseip: AddressEvent
  updateip: UpdateEvent
}

/** Every event that ctdbd sends (server/eventscript.c, 4.17). The protocol carries other names as well. */
export const CTDB_EVENTS = [
  'init',
  'setup',
  'startrecovery',
  'recovered',
  'startup',
  'monitor',
  'startipreallocate',
  'releaseip',
  'takeip',
  'updateip',
  'ipreallocated',
  'shutdown',
] as const

export interface Event {
  name: string
  /** The words of the request, unchanged: executables get these. */
  words: readonly string[]
  /** The same words, checked and typed: our handlers get these. */
  args: Arguments[keyof Arguments] | undefined
}

/**
 * Check the words of an event and give them types. Throws Usage with one sentence about the first wrong word. The words
 * `must supply interface, IP and maskbits` are CTDB's own.
 */
export function parseEvent(name: string, words: readonly string[]): Event {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name))
    throw new Usage(`event "${name}" is no event name: expected a word such as takeip`)
  return { name, words, args: parseWords(name, words) }
}

function parseWords(name: string, words: readonly string[]): Event['args'] {
  switch (name) {
    case 'takeip':
    case 'releaseip': {
      expectCount(name, words, 'interface, IP and maskbits')
      const [iface = '', ip = '', bits = ''] = words
      const address = parseAddress(name, ip)
      return {
        iface: parseInterface(name, iface, name === 'releaseip'),
        address,
        bits: parseBits(name, bits, address),
      }
    }
    case 'updateip': {
      expectCount(name, words, 'old interface, new interface, IP and maskbits')
      const [from = '', to = '', ip = '', bits = ''] = words
      const address = parseAddress(name, ip)
      return {
        from: parseInterface(name, from, true),
        to: parseInterface(name, to, false),
        address,
        bits: parseBits(name, bits, address),
      }
    }
    default:
      if ((CTDB_EVENTS as readonly string[]).includes(name) && words.length > 0)
        throw new Usage(`ERROR: ${name} takes no arguments, got "${words.join(' ')}"`)
      return undefined
  }
}

function expectCount(event: string, words: readonly string[], what: string): void {
  const expected = what.startsWith('old') ? 4 : 3
  if (words.length === expected) return
  const seen = words.length === 0 ? 'nothing' : `"${words.join(' ')}"`
  throw new Usage(`ERROR: must supply ${what}: ${event} takes ${expected} words, got ${seen}`)
}

/** In bytes: IFNAMSIZ is 16 with the final NUL. ctdbd cannot hold a longer name either. */
const LONGEST_NAME = 15

/** The same for an altname: ALTIFNAMSIZ is 128. */
export const LONGEST_ALTNAME = 127

function parseInterface(event: string, word: string, mayBeNone: boolean): string {
  if (word === NO_INTERFACE && !mayBeNone)
    throw new Usage(
      `ERROR: ${event} needs a real interface, got "${NO_INTERFACE}": name the one in public_addresses`,
    )
  const name = word.replace(/@[^@]+$/, '') // eth0@if5, as brief output of ip writes a VLAN or a veth
  const why = whyNoInterface(name)
  if (why) throw new Usage(`ERROR: "${word}" is no interface name (${why}): "ip link show" lists them`)
  return name
}

/** Why this cannot be the name of an interface, by the kernel's rules and ours; undefined when it can. `longest` is in bytes. */
export function whyNoInterface(name: string, longest = LONGEST_NAME): string | undefined {
  if (name.trim() === '') return 'it is blank'
  if (name.startsWith('-')) return 'it begins with "-"'
  if (name === '.' || name === '..') return 'the kernel refuses it'
  if (/[/:\s]/.test(name)) return 'it contains "/", ":" or a blank'
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'it contains a control character'
  if (Buffer.byteLength(name) > longest) return `it is longer than ${longest} bytes`
  return undefined
}

function parseAddress(event: string, word: string): string {
  const address = canonical(word)
  if (!address)
    throw new Usage(
      `ERROR: "${word}" is no IP address: ${event} expects one such as 10.0.0.1 or fd00::1, without mask or zone`,
    )
  const why = whyNotPublic(address)
  if (why) throw new Usage(`ERROR: ${address} cannot be a public address: it is ${why}`)
  return address
}

/** Why no interface can hold this address; undefined when one can. */
export function whyNotPublic(address: string): string | undefined {
  if (address === '::' || address.startsWith('0.')) return 'unspecified'
  if (address === '::1' || address.startsWith('127.')) return 'a loopback address'
  if (/^ff/.test(address) || /^(22[4-9]|23\d)\./.test(address)) return 'a multicast address'
  if (/^(24\d|25[0-5])\./.test(address)) return 'reserved or broadcast'
  return undefined
}

function parseBits(event: string, word: string, address: string): number {
  const most = hostBits(address)
  if (!/^\d{1,3}$/.test(word) || Number(word) < 1 || Number(word) > most)
    throw new Usage(
      `ERROR: "${word}" is no netmask for ${address}: ${event} expects a number of bits from 1 to ${most}`,
    )
  return Number(word)
}
