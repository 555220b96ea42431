/** firewalld: its zones keep CTDB's nodes apart unless somebody opens the port; its reverse-path filter is for one uplink. */
import { toShell } from '../../../machine/argv.ts'
import { why } from '../../../net/answer.ts'
import { about, type Examination, type Finding, type Patient } from '../../finding.ts'
import { isActive } from './active.ts'
import { PORT, zoneOf, zonesIn, type Zone } from './firewalld-zones.ts'
import { peersOf, privateLink, publicLinks } from './public-links.ts'

const { ok, warn, error } = about('firewalld')
/** Milliseconds for a program in Python that waits for the D-Bus. */
const WITHIN = 5000
/** The exit status of firewall-cmd(1) when firewalld is not running. */
const NOT_RUNNING = 252
const CONF = '/etc/firewalld/firewalld.conf'
/** Where the private interface goes; other ports than CTDB's are closed there that its zone may have opened. */
const OWN_ZONE = 'internal'

export const firewalld: Examination = async (patient) => {
  const { door, uses } = patient
  if (!(await door.find('firewall-cmd')) || !(await isActive(door, 'firewalld'))) return []
  const answer = await door.ask({ within: WITHIN })`firewall-cmd --list-all-zones`
  if (answer.status === NOT_RUNNING) return []
  if (answer.status !== 0)
    return warn('firewall-cmd', `cannot list its zones: ${why(answer)}`, 'systemctl status firewalld')
  const found = [
    ...judged(patient, await withDefault(patient, answer.out)),
    ...(uses.inet6 ? rpfilter((await door.read(CONF)) ?? '') : []),
  ]
  return found.length > 0 ? found : ok('firewalld', `lets CTDB's port ${PORT} in`)
}

/** firewalld 1 does not mark the default zone. */
async function withDefault({ door }: Patient, text: string): Promise<Zone[]> {
  const zones = zonesIn(text, undefined)
  if (zones.some(({ isDefault }) => isDefault)) return zones
  const answer = await door.ask({ within: WITHIN })`firewall-cmd --get-default-zone`
  return zonesIn(text, answer.status === 0 ? answer.out.trim() : undefined)
}

function judged(patient: Patient, zones: readonly Zone[]): Finding[] {
  const link = privateLink(patient)
  const zone =
    link &&
    peersOf(patient)
      .map((peer) => zoneOf(zones, link.name, peer))
      .find((each) => each?.admitsCtdb === false)
  if (!link || !zone) return []
  const isBySource = zone.sources.length > 0 && !zone.interfaces.includes(link.name) && !zone.isDefault
  const isShared = zone.isDefault || publicLinks(patient).some(({ name }) => zone.interfaces.includes(name))
  return error(
    link.name,
    `the zone "${zone.name}", of the private address, lets neither the service ctdb nor port ${PORT}/tcp in: other nodes cannot connect${isShared ? `; in "${OWN_ZONE}" open also what else the nodes need of each other (their file system)` : ''}`,
    opened(isShared ? OWN_ZONE : zone.name, isBySource ? undefined : link.name),
  )
}

/** A zone that public interfaces have, too, is no place to open CTDB's port. */
function opened(zone: string, iface: string | undefined): string {
  const permanent = (...words: string[]) =>
    toShell(['firewall-cmd', '--permanent', `--zone=${zone}`, ...words])
  const moved = iface === undefined ? [] : [permanent(`--change-interface=${iface}`)]
  const steps = [...moved, permanent('--add-service=ctdb')]
  return `${steps.join(' && ')} && firewall-cmd --reload`
}

/** `loose` is of firewalld 2.2, which writes `strict`: before, the only words are yes and no, and others count as yes. */
function rpfilter(text: string): Finding[] {
  const written = /^\s*IPv6_rpfilter\s*=\s*(\S+)/m.exec(text)?.[1]
  const value = written ?? 'yes'
  if (!/^(?:yes|true|strict|strict-forward)$/i.test(value)) return []
  const line = `IPv6_rpfilter=${/^strict/i.test(value) ? 'loose' : 'no'}`
  const edit =
    written === undefined ? `echo ${line} >>${CONF}` : `sed -i 's/^\\s*IPv6_rpfilter\\s*=.*/${line}/' ${CONF}`
  return warn(
    CONF,
    `IPv6_rpfilter=${value}: packets for public IPv6 addresses are dropped where the route back to their sender has another interface`,
    `${edit} && firewall-cmd --reload`,
  )
}
