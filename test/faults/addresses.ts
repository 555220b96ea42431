/** The public addresses of the suite, and where each has to be by the answers of the events so far. */
import { programPath } from '../lab/needs.ts'
import type { Lab } from '../lab/lab.ts'

export interface Public {
  ip: string
  bits: string
}

export const PUBLIC: readonly Public[] = [1, 2, 3].flatMap((n) => [
  { ip: `10.0.0.${n}`, bits: '24' },
  { ip: `fd00::${n}`, bits: '64' },
])

export const INTERFACES = ['eth0', 'eth1'] as const

/** An interface; `gone`: on none; `either`: the last event for the address failed. */
export type Place = (typeof INTERFACES)[number] | 'gone' | 'either'

export class Places {
  readonly #of = new Map<string, Place>(PUBLIC.map(({ ip }) => [ip, 'gone']))

  of({ ip }: Public): Place {
    return this.#of.get(ip) ?? 'gone'
  }

  set({ ip }: Public, place: Place): void {
    this.#of.set(ip, place)
  }

  setAll(place: Place): void {
    for (const each of PUBLIC) this.set(each, place)
  }

  /** Sorted, as the list of hosted addresses. */
  hosted(): string[] {
    return PUBLIC.filter((each) => INTERFACES.some((iface) => iface === this.of(each)))
      .map(({ ip }) => ip)
      .toSorted()
  }

  /** What is not where it has to be, a line each. */
  async wrong(lab: Lab): Promise<string[]> {
    const held = await heldIn(lab)
    return PUBLIC.flatMap((each) => {
      const place = this.of(each)
      if (place === 'either') return []
      const wanted = place === 'gone' ? 'gone' : `${place}/${each.bits}`
      const found = held.get(each.ip)?.join(' and ') ?? 'gone'
      return found === wanted ? [] : [`${each.ip} is ${found}, expected ${wanted}`]
    })
  }
}

interface Row {
  ifname: string
  addr_info: { local?: string; prefixlen?: number; tentative?: boolean; dadfailed?: boolean }[]
}

/** Where each address is, asked of an `ip` that does not go wrong. */
async function heldIn({ node }: Lab): Promise<Map<string, string[]>> {
  const rows = JSON.parse(await node.must(programPath('ip') ?? 'ip', '-json', 'addr', 'show')) as Row[]
  const held = new Map<string, string[]>()
  for (const { ifname, addr_info } of rows)
    for (const { local = '', prefixlen, tentative, dadfailed } of addr_info) {
      const place = `${ifname}/${prefixlen}${tentative || dadfailed ? ' of no use yet' : ''}`
      held.set(local, [...(held.get(local) ?? []), place])
    }
  return held
}
