/** ufw, which drops what no rule of its own lets in: CTDB's port, too. */
import { toShell } from '../../../machine/argv.ts'
import { toBeAllowed } from '../../../machine/remedy/remedy.ts'
import { why } from '../../../net/answer.ts'
import { about, type Examination } from '../../finding.ts'
import { PORT } from './firewalld-zones.ts'
import { peersOf, privateLink } from './public-links.ts'
import { verdictOn } from './ufw-rules.ts'

const { ok, warn, error } = about('ufw')
const CONF = '/etc/ufw/ufw.conf'
/** What becomes of a packet about which no rule is. */
const DEFAULTS = '/etc/default/ufw'
/** Milliseconds for a program in Python that waits for the lock of iptables. */
const WITHIN = 5000

export const ufw: Examination = async (patient) => {
  const { door, facts } = patient
  if (!(await door.find('ufw')) || !/^\s*ENABLED=yes/im.test((await door.read(CONF)) ?? '')) return []
  if (!facts.privileged) return warn('ufw', `not looked at: ${toBeAllowed('CAP_NET_ADMIN')}`)
  const link = privateLink(patient)
  const answer = await door.ask({ within: WITHIN })`ufw status`
  if (answer.status !== 0) return warn('ufw', `cannot list its rules: ${why(answer)}`, 'ufw status')
  if (!link || !/^Status: active/m.test(answer.out)) return []
  const isOpen = /^DEFAULT_INPUT_POLICY="?ACCEPT/m.test((await door.read(DEFAULTS)) ?? '')
  const own = link.addresses.map(({ address }) => address)
  const verdicts = peersOf(patient).map((peer) => ({
    peer,
    verdict: verdictOn(answer.out, { iface: link.name, own, peer }),
  }))
  const shut = verdicts.filter(({ verdict }) => !(verdict ?? isOpen))
  if (shut.length === 0) return ok('ufw', `lets CTDB's port ${PORT} in`)
  // a rule that refuses would decide before a new one at the end
  const first = shut.some(({ verdict }) => verdict === false) ? ['prepend'] : []
  return error(
    link.name,
    `ufw is active and no rule lets port ${PORT}/tcp in from ${shut.map(({ peer }) => peer).join(', ')}: other nodes cannot connect`,
    toShell(['ufw', ...first, ...`allow in on ${link.name} to any port ${PORT} proto tcp`.split(' ')]),
  )
}
