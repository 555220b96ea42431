/** Other programs of this machine that manage its network. Nothing is started where none of them is installed. */
import { isRunning, systemdFolder } from '../../../install/service.ts'
import type { Examination } from '../../finding.ts'
import { conntrack } from './conntrack.ts'
import { docker } from './docker.ts'
import { firewalld } from './firewalld.ts'
import { ifupdown } from './ifupdown.ts'
import { networkManager } from './network-manager.ts'
import { networkd } from './networkd.ts'
import { ufw } from './ufw.ts'

/** A node in a container, or with a CTDB that is relocated as in a test, has a network that these do not manage. */
const ofThisMachine =
  (look: Examination): Examination =>
  (patient) => {
    const folder = systemdFolder(patient.facts.env)
    return folder !== undefined && isRunning(folder) ? look(patient) : []
  }

/** In the order in which an admin would look. */
export const BESIDE = {
  networkd: ofThisMachine(networkd),
  networkManager: ofThisMachine(networkManager),
  ifupdown: ofThisMachine(ifupdown),
  firewalld: ofThisMachine(firewalld),
  ufw: ofThisMachine(ufw),
  docker: ofThisMachine(docker),
  conntrack,
}
