/** systemd-networkd removes what others have added to an interface that it manages, unless its files say otherwise. */
import { dirname } from 'node:path'
import { toPrinting, toShell } from '../../../machine/argv.ts'
import type { Door } from '../../../machine/machine.ts'
import type { Link } from '../../../net/ip-json.ts'
import { about, type Examination, type Finding } from '../../finding.ts'
import { isActive } from './active.ts'
import {
  CONF_DROP_IN,
  confText,
  networkDropIn,
  managedIn,
  missingInConf,
  missingInNetwork,
  networkFileText,
  type Managed,
} from './networkd-settings.ts'
import { publicLinks } from './public-links.ts'

const { ok, warn } = about('networkd')

/** Looked at in files: `networkctl` would start a networkd that is stopped. */
export const networkd: Examination = async (patient) => {
  const { door } = patient
  // the files in /run stay there when networkd is stopped
  const managed = await managedOf(door, publicLinks(patient))
  if (managed.length === 0 || !(await isActive(door, 'systemd-networkd'))) return []
  const conf = missingInConf(await confText(door))
  const all = await Promise.all(managed.map((each) => judged(door, each, conf)))
  return all.flat()
}

interface Taken extends Managed {
  iface: string
}

async function managedOf(door: Door, links: readonly Link[]): Promise<Taken[]> {
  const all = await Promise.all(
    links.map(async ({ name }) => {
      const index = (await door.read(`/sys/class/net/${name}/ifindex`))?.trim()
      const managed = managedIn((await door.read(`/run/systemd/netif/links/${index}`)) ?? '')
      return managed ? { iface: name, ...managed } : []
    }),
  )
  return all.flat()
}

async function judged(door: Door, managed: Taken, conf: readonly string[]): Promise<Finding[]> {
  const { iface, file } = managed
  const network = missingInNetwork(await networkFileText(door, managed))
  const missing = [...network, ...conf]
  const byWhom = file.includes('/run/systemd/network/') && file.includes('-netplan-') ? ', of netplan' : ''
  const seen = `systemd-networkd manages it (${file}${byWhom})`
  if (missing.length === 0) return ok(iface, `${seen} and leaves what is not its own`)
  return warn(
    iface,
    `${seen} without ${missing.join(', ')}: its restart, reload or reconfiguration removes our addresses, routes or rules`,
    remedy(networkDropIn(file), network, conf),
  )
}

/** The lines of both files, then one restart. */
function remedy(dropIn: string, network: readonly string[], conf: readonly string[]): string {
  const write = (file: string, lines: readonly string[]) =>
    lines.length === 0
      ? []
      : [
          toShell(['mkdir', '-p', dirname(file)]),
          `${toPrinting(`${['[Network]', ...lines].join('\n')}\n`)} >${toShell([file])}`,
        ]
  const steps = [...write(dropIn, network), ...write(CONF_DROP_IN, conf)]
  return [...steps, 'systemctl restart systemd-networkd'].join(' && ')
}
