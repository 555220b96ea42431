/** Which event comes next, as a daemon could send it, and where an address is when the event has succeeded. */
import { INTERFACES, PUBLIC, type Place, type Places, type Public } from './addresses.ts'
import type { Random } from './random.ts'

export interface Happening {
  words: readonly string[]
  /** The address that it moves. */
  address?: Public
  /** Where that address is afterwards, or every address. Without it none has moved. */
  leads?: Place
}

const GENERAL: readonly Happening[] = [
  ...Array.from({ length: 6 }, () => ({ words: ['monitor'] })),
  ...Array.from({ length: 4 }, () => ({ words: ['ipreallocated'] })),
  { words: ['startup'] },
  { words: ['reconfigure'] },
  { words: ['init'], leads: 'gone' },
  { words: ['shutdown'], leads: 'gone' },
]

/** An event of the whole node, as often as `general` says, or up to `atOnce` events of different addresses. */
export function nextEvents(random: Random, places: Places, atOnce: number, general: number): Happening[] {
  if (random.chance(general)) return [random.pick(GENERAL)]
  const count = 1 + random.below(atOnce)
  const chosen = new Set(Array.from({ length: count }, () => random.pick(PUBLIC)))
  return [...chosen].map((each) => moveOf(random, each, places.of(each)))
}

function moveOf(random: Random, address: Public, place: Place): Happening {
  const iface = random.pick(INTERFACES)
  const isHere = place === 'eth0' || place === 'eth1'
  if (isHere && random.chance(0.45)) return updateip(address, place, place === 'eth0' ? 'eth1' : 'eth0')
  return random.chance(isHere ? 0.7 : 0.25)
    ? releaseip(address, isHere ? place : '__none__')
    : takeip(address, iface)
}

/** An event for an address about which the last one says nothing. */
export function repairOf(random: Random, address: Public): Happening {
  return random.chance(0.5)
    ? takeip(address, random.pick(INTERFACES))
    : releaseip(address, random.pick(INTERFACES))
}

function takeip(address: Public, iface: 'eth0' | 'eth1'): Happening {
  return { words: ['takeip', iface, address.ip, address.bits], address, leads: iface }
}

function releaseip(address: Public, iface: string): Happening {
  return { words: ['releaseip', iface, address.ip, address.bits], address, leads: 'gone' }
}

function updateip(address: Public, from: string, to: 'eth0' | 'eth1'): Happening {
  return { words: ['updateip', from, to, address.ip, address.bits], address, leads: to }
}
