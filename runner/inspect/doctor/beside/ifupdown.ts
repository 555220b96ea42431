/** ifupdown: an interface that it takes down comes up again by ctdbd. */
import { isNamed } from '../../../net/ip-json.ts'
import { about, type Examination } from '../../finding.ts'
import { publicLinks } from './public-links.ts'

const { ok } = about('ifupdown')
/** A line `INTERFACE=NAME-IN-INTERFACES` for each interface that ifup has brought up. */
const STATE = '/run/network/ifstate'

/** No fault: what an admin must know before they use `ifdown`. */
export const ifupdown: Examination = async (patient) => {
  const links = publicLinks(patient)
  if (links.length === 0) return []
  const up = ((await patient.door.read(STATE)) ?? '').split('\n').map((line) => line.split('=')[0] ?? '')
  return links
    .filter((link) => up.some((name) => isNamed(link, name)))
    .flatMap(({ name }) =>
      ok(
        name,
        'ifupdown has brought it up: "ifdown" does not last under CTDB, which puts the public addresses back: "ctdb stop" first',
      ),
    )
}
