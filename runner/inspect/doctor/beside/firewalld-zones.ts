/** The zones of firewalld, as `firewall-cmd --list-all-zones` prints them. */
import { familyOf } from '../../../inet/address.ts'
import { contains, parseNetwork } from '../../../inet/network.ts'

/** CTDB's port between nodes. */
export const PORT = 4379

export interface Zone {
  name: string
  /** `default`, `ACCEPT`, `DROP`, `%%REJECT%%`. */
  target: string
  isDefault: boolean
  interfaces: readonly string[]
  /** Networks whose packets belong to the zone, whatever their interface. */
  sources: readonly string[]
  /** Does it let TCP connections to CTDB's port in? */
  admitsCtdb: boolean
}

/** One paragraph for each; the default one is marked by firewalld 2, and named by `default` for older ones. */
export function zonesIn(text: string, byDefault: string | undefined): Zone[] {
  return text.split(/\n(?=\S)/).flatMap((paragraph) => {
    const [, name, marks = ''] = /^(\S+)(?: \((.*)\))?$/m.exec(paragraph) ?? []
    if (name === undefined) return []
    const words = (key: string) =>
      (new RegExp(`^  ${key}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '').split(/\s+/).filter(Boolean)
    const target = words('target')[0] ?? ''
    return {
      name,
      target,
      isDefault: byDefault === undefined ? marks.split(', ').includes('default') : name === byDefault,
      interfaces: words('interfaces'),
      sources: words('sources'),
      admitsCtdb:
        target === 'ACCEPT' ||
        words('services').includes('ctdb') ||
        words('protocols').includes('tcp') ||
        words('ports').some(isCtdbs) ||
        admitsByRule(paragraph),
    }
  })
}

/** `4379/tcp`, or a range that has it. */
function isCtdbs(port: string): boolean {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?\/tcp$/.exec(port) ?? []
  return from !== undefined && Number(from) <= PORT && PORT <= Number(to)
}

function admitsByRule(paragraph: string): boolean {
  const rules = paragraph.split('\n').filter((line) => /^\s+rule .*\baccept\b/.test(line))
  return rules.some((rule) => rule.includes(`port="${PORT}"`) || rule.includes('service name="ctdb"'))
}

/** The zone of what that peer sends: one that names its network, else that of the interface. */
export function zoneOf(zones: readonly Zone[], iface: string, peer: string): Zone | undefined {
  return (
    zones.find((zone) => zone.sources.some((source) => isFrom(zone, source, peer))) ??
    zones.find((zone) => zone.interfaces.includes(iface)) ??
    zones.find(({ isDefault }) => isDefault)
  )
}

/** A MAC or a set, which we do not read, may be the peer's: no reason for an alarm. */
function isFrom({ admitsCtdb }: Zone, source: string, peer: string): boolean {
  const network = parseNetwork(source, familyOf(peer))
  return typeof network === 'string' ? admitsCtdb : contains(network, peer)
}
