/** The rules of ufw, as `ufw status` prints them. The first that is about a connection decides. */
import { familyOf } from '../../../inet/address.ts'
import { contains, parseNetwork } from '../../../inet/network.ts'
import { PORT } from './firewalld-zones.ts'

/** A connection to CTDB's port: from `peer`, to one of the addresses of that interface. */
export interface FromPeer {
  iface: string
  own: readonly string[]
  peer: string
}

/** Does ufw let the connection in? Undefined where no rule is about it, so that the default policy decides. */
export function verdictOn(status: string, connection: FromPeer): boolean | undefined {
  for (const line of status.split('\n')) {
    const [, to = '', action, from = ''] =
      /^(\S.*?)\s+(ALLOW|LIMIT|DENY|REJECT)(?: IN)?\s+(?!OUT |FWD )(\S.*)$/.exec(line) ?? []
    if (action !== undefined && isAbout(to, from.replace(/\s+(?:\(log\S*\)|#).*/, '').trim(), connection))
      return action === 'ALLOW' || action === 'LIMIT'
  }
  return undefined
}

function isAbout(to: string, from: string, { iface, own, peer }: FromPeer): boolean {
  const [target = '', by = iface] = to.split(' on ')
  const isSix = /\(v6\)/.test(to + from)
  const words = (text: string) =>
    text
      .replace(' (v6)', '')
      .replaceAll(/\/tcp\b/g, '')
      .split(' ')
  const family = familyOf(peer)
  const isOfFamily = /[:.].*[:.]/.test(target + from) || isSix === (family === 'inet6')
  const isOf = (word: string, addresses: readonly string[]) =>
    word === 'Anywhere' || addresses.some((address) => isIn(word, address))
  const isTarget = words(target).every((word) => isPort(word) || isOf(word, own))
  // a port of the sender is none that we know
  return by === iface && isOfFamily && isTarget && words(from).every((word) => isOf(word, [peer]))
}

function isIn(word: string, address: string): boolean {
  const network = parseNetwork(word, familyOf(address))
  return typeof network !== 'string' && contains(network, address)
}

/** `4379`, `137,4379`, `4000:5000`. */
function isPort(word: string): boolean {
  if (!/^\d+(?::\d+)?(?:,\d+(?::\d+)?)*$/.test(word)) return false
  return word.split(',').some((each) => {
    const [first = 0, last = first] = each.split(':').map(Number)
    return first <= PORT && PORT <= last
  })
}
