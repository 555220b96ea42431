/** ufw, which drops what no rule of its own lets in: CTDB's port, too. */
import { toShell } from '../../../machine/argv.ts'
import { toBeAllowed } from '../../../machine/remedy/remedy.ts'
import { why } from '../../../net/answer.ts'
import { about, type Examination } from '../../finding.ts'
import { PORT } from './firewalld-zones.ts'
import { privateLink } from './public-links.ts'

const { ok, warn, error } = about('ufw')
const CONF = '/etc/ufw/ufw.conf'
/** Milliseconds for a program in Python that waits for the lock of iptables. */
const WITHIN = 5000

/** Does a line of `ufw status` let connections to CTDB's port in, or all that arrives on that interface? */
export function admitsCtdb(status: string, iface: string): boolean {
  return status.split('\n').some((line) => {
    const [, to = ''] = /^(.*?)\s{2,}ALLOW\b/.exec(line) ?? []
    if (!to.includes(' on ') || to.includes(` on ${iface}`))
      return /^Anywhere\b/.test(to) || ports(to).some((each) => each === PORT)
    return false
  })
}

/** `4379/tcp`, `137,4379/tcp`, `10.1.0.1 4379`; a range counts by its ends. */
function ports(to: string): number[] {
  const words = to.replace(/ on .*$/, '').split(/[\s,/]+/)
  return words.filter((word) => /^\d+(?::\d+)?$/.test(word)).flatMap(inRange)
}

function inRange(word: string): number[] {
  const [from = 0, to = from] = word.split(':').map(Number)
  return from <= PORT && PORT <= to ? [PORT] : []
}

export const ufw: Examination = async (patient) => {
  const { door, facts } = patient
  if (!(await door.find('ufw')) || !/^\s*ENABLED=yes/im.test((await door.read(CONF)) ?? '')) return []
  if (!facts.privileged) return warn('ufw', `not looked at: ${toBeAllowed('CAP_NET_ADMIN')}`)
  const link = privateLink(patient)
  const answer = await door.ask({ within: WITHIN })`ufw status`
  if (answer.status !== 0) return warn('ufw', `cannot list its rules: ${why(answer)}`, 'ufw status')
  if (!link || !/^Status: active/m.test(answer.out)) return []
  if (admitsCtdb(answer.out, link.name)) return ok('ufw', `lets CTDB's port ${PORT} in`)
  return error(
    link.name,
    `ufw is active and no rule lets port ${PORT}/tcp in: other nodes cannot connect`,
    toShell(['ufw', 'allow', 'in', 'on', link.name, 'to', 'any', 'port', String(PORT), 'proto', 'tcp']),
  )
}
