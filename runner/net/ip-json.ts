import { canonical } from '../inet/address.ts'
import { Refusal } from '../base/refusal.ts'
import { memoizeLast } from '../base/memoize.ts'
import { OLDEST_IP } from './oldest-ip.ts'
import { validJson } from './valid-json.ts'

/** An address as the kernel has it on one interface. */
export interface Held {
  iface: string
  /** Other names of that interface (`ip link property add … altname`). */
  altnames: readonly string[]
  address: string
  bits: number
  /** The far end, of an address that was added with one: such an address cannot be deleted without naming it. */
  peer?: string
  /** `global`, `host` …; by `host` an IPv4 address on lo is kept from answering ARP (arp_ignore 3). */
  scope?: string
  /** Never chosen as a source (`preferred_lft 0`). */
  deprecated?: boolean
  /** Behind another address of its subnet, which is the source of what the node itself sends. */
  secondary?: boolean
  /** Seconds after which the kernel removes the address (`valid_lft`); undefined for an address that stays. */
  validFor?: number
  /** `ready` can be bound; `tentative` waits for duplicate address detection; `duplicate` lost it. */
  state: 'ready' | 'tentative' | 'duplicate'
}

/** An interface as `ip -json` shows it. */
export interface Link {
  name: string
  altnames: readonly string[]
  /** The device below, only of kinds that are built on a device of the same namespace (a VLAN). */
  below: string | undefined
  /** The bond or bridge that the interface is a part of. */
  master: string | undefined
  /** `vlan`, `bond`, `veth` …; undefined for plain devices, and without `-details`. */
  kind: string | undefined
  /** The hardware address, in lower case. */
  mac: string | undefined
  /** `ether`, `loopback`, `infiniband` …; undefined in `addr show` of old `ip`. */
  type: string | undefined
  /** Bytes; undefined where `ip` does not name it. */
  mtu?: number
  /** Administratively up. */
  up: boolean
  /** The kernel's carrier: what ethtool calls "Link detected". */
  carrier: boolean
  /** Nobody is asked for a MAC there, by ARP or neighbour discovery (`ip link set arp off`). */
  noArp?: true
  addresses: readonly Held[]
}

const NEWER = `check "ip -V" (${OLDEST_IP.text} or newer)`

/** Kinds whose `link` in the output of `ip` is the device below; that of a veth is its peer. */
const BUILT_ON_ANOTHER = new Set(['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap'])

/**
 * Interfaces out of `ip -json [-details] addr show …` or `link show`. `addr show to X` prints `{}` for each
 * address that it filtered out. The `@if5` of brief output never appears: `ifname` and `link` are apart.
 * Throws a Refusal that quotes any other output.
 */
export const parseLinks = memoizeLast(linksIn)

function linksIn(text: string): readonly Link[] {
  return named(text).map((row) => {
    const name = String(row['ifname'])
    const altnames = listIn(row['altnames']).map(String)
    const flags = listIn(row['flags'])
    const kind = record(row['linkinfo'])['info_kind']
    const onAnother = typeof kind === 'string' && BUILT_ON_ANOTHER.has(kind)
    return {
      name,
      altnames,
      below: onAnother && typeof row['link'] === 'string' ? row['link'] : undefined,
      master: typeof row['master'] === 'string' ? row['master'] : undefined,
      kind: typeof kind === 'string' ? kind : undefined,
      mac: typeof row['address'] === 'string' ? row['address'].toLowerCase() : undefined,
      type: typeof row['link_type'] === 'string' ? row['link_type'] : undefined,
      ...(typeof row['mtu'] === 'number' ? { mtu: row['mtu'] } : {}),
      up: flags.includes('UP'),
      carrier: flags.includes('LOWER_UP'),
      ...(flags.includes('NOARP') ? { noArp: true as const } : {}),
      addresses: listIn(row['addr_info']).flatMap((info) => held(name, altnames, record(info))),
    }
  })
}

function held(iface: string, altnames: readonly string[], info: Record<string, unknown>): Held[] {
  const address = typeof info['local'] === 'string' ? canonical(info['local']) : undefined
  if (!address) return []
  const bits = info['prefixlen']
  if (typeof bits !== 'number')
    throw new Refusal(`ip -json printed ${address} without a prefix length: ${NEWER}`)
  const state = info['dadfailed'] ? 'duplicate' : info['tentative'] ? 'tentative' : 'ready'
  const peer = typeof info['address'] === 'string' ? canonical(info['address']) : undefined
  const scope = typeof info['scope'] === 'string' ? info['scope'] : undefined
  const validFor = secondsIn(info['valid_life_time'])
  const deprecated = info['deprecated'] === true
  const life = validFor === undefined ? {} : { validFor }
  const behind = info['secondary'] === true ? { secondary: true } : {}
  return [{ iface, altnames, address, bits, peer, scope, deprecated, ...behind, ...life, state }]
}

/** `ip -json` prints this number of seconds for `forever`. */
export const FOR_EVER = 2 ** 32 - 1

function secondsIn(time: unknown): number | undefined {
  return typeof time === 'number' && time !== FOR_EVER ? time : undefined
}

function named(text: string): Record<string, unknown>[] {
  // "-json" of some releases prints {} for an interface that a filter left out
  const found = rows(text, 'interfaces').filter((row) => Object.keys(row).length > 0)
  if (!found.every((row) => typeof row['ifname'] === 'string')) throw unexpected(text, 'interfaces')
  return found
}

/** The list that `ip -json` prints; `what` names its elements in the message. Throws a Refusal that quotes any other output. */
export function rows(text: string, what: string): Record<string, unknown>[] {
  const parsed = parse(text) ?? parse(validJson(text))
  if (!Array.isArray(parsed) || !parsed.every(isRecord)) throw unexpected(text, what)
  return parsed
}

/** Undefined when the text is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unexpected(text: string, what: string): Refusal {
  const seen = text.trim() === '' ? 'nothing' : JSON.stringify(text.trim().slice(0, 60))
  return new Refusal(`ip -json printed ${seen}, expected a list of ${what}: ${NEWER}`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

export function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** Is this the interface that the caller means, by its name or one of its altnames? */
export function isNamed(
  link: { iface?: string; name?: string; altnames: readonly string[] },
  name: string,
): boolean {
  return link.iface === name || link.name === name || link.altnames.includes(name)
}
