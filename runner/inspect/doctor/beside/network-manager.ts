/** NetworkManager: which interfaces of public addresses it manages, and whether a profile of theirs was made out of these. */
import { toPrinting, toShell } from '../../../machine/argv.ts'
import { why } from '../../../net/answer.ts'
import { isNamed } from '../../../net/ip-json.ts'
import { about, type Examination, type Finding } from '../../finding.ts'
import { isActive } from './active.ts'
import { ignoresCarrier } from './nm-carrier.ts'
import { publicLinks } from './public-links.ts'

const { ok, warn } = about('NetworkManager')
/** Milliseconds for a program that waits for the D-Bus. */
const WITHIN = 5000
/** The exit status of nmcli(1) when NetworkManager is not running. */
const NOT_RUNNING = 8

/** A row of `nmcli -t -f DEVICE,STATE,CONNECTION device`. */
interface Device {
  name: string
  state: string
  profile: string
}

/** In its terse form `:` and `\` of a value have a `\` before them. */
export function devicesIn(text: string): Device[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', state = '', profile = ''] = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(
      ([, value = '']) => value.replaceAll(/\\(.)/g, '$1'),
    )
    return name === '' ? [] : [{ name, state, profile }]
  })
}

export const networkManager: Examination = async (patient) => {
  const { door } = patient
  const links = publicLinks(patient)
  if (links.length === 0 || !(await door.find('nmcli'))) return []
  if (!(await isActive(door, 'NetworkManager'))) return []
  const answer = await door.ask({ within: WITHIN })`nmcli -t -f DEVICE,STATE,CONNECTION device`
  if (answer.status === NOT_RUNNING) return []
  if (answer.status !== 0)
    return warn(
      'nmcli',
      `cannot say which interfaces it manages: ${why(answer)}`,
      'systemctl status NetworkManager',
    )
  const devices = devicesIn(answer.out).filter(
    ({ name, state }) => isManaged(state) && links.some((link) => isNamed(link, name)),
  )
  if (devices.length === 0) return []
  const config = await door.ask({ within: WITHIN })`NetworkManager --print-config`
  return devices.flatMap((device) => judged(device, config.status === 0 ? config.out : ''))
}

/** `unavailable` is what it calls a device of its own that has no carrier. */
const isManaged = (state: string) => !/^(?:unmanaged|unknown)\b/.test(state)

function judged({ name, state, profile }: Device, config: string): Finding[] {
  if (state.startsWith('connected (externally)'))
    return warn(
      name,
      `NetworkManager has no profile of yours on it: it has made "${profile}" out of the addresses that it found, public ones too: the node's own address and default route do not come back, and "device reapply" may give public addresses to a node that is disabled`,
      `"nmcli con show" names the profile of ${name}: nmcli con up PROFILE; or let it be unmanaged: ${unmanaged(name)}`,
    )
  const seen = `NetworkManager manages it (${state}${profile === '' ? '' : `, "${profile}"`})`
  if (ignoresCarrier(config, name)) return ok(name, `${seen} and ignores its carrier`)
  return warn(
    name,
    `${seen}: its "con up", "device reapply", and 5 s without carrier remove our addresses and routes`,
    ignoreCarrier(name),
  )
}

/** Where another program gives the interface its own address. */
const unmanaged = (name: string) => `nmcli device set ${toShell([name])} managed no`

function ignoreCarrier(name: string): string {
  const lines = [`[device-eventscript-${name}]`, `match-device=interface-name:${name}`, 'ignore-carrier=yes']
  const file = `/etc/NetworkManager/conf.d/eventscript-${name}.conf`
  return `${toPrinting(`${lines.join('\n')}\n`)} >${toShell([file])} && systemctl reload NetworkManager`
}
