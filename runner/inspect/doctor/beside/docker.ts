/** dockerd: published ports are taken from every local address, public ones too; and nothing is forwarded but its own. */
import { why } from '../../../net/answer.ts'
import type { Answer } from '../../../machine/machine.ts'
import { WAIT } from '../../../net/clients/blocking-rule.ts'
import { about, type Examination, type Finding, type Patient } from '../../finding.ts'

const { warn } = about('docker')
/** Milliseconds: `-w` waits 3 s for the lock of iptables. */
const WITHIN = 5000

export const docker: Examination = async (patient) => {
  const { door, facts, uses } = patient
  const isHere = (await door.find('dockerd')) !== undefined && (await door.find('iptables')) !== undefined
  if (!isHere || !facts.privileged || !(uses.inet || uses.inet6)) return []
  return [...(await published(patient)), ...(await forwarding(patient))]
}

/** `tcp/445` for each rule of the chain in which docker gives published ports to its containers. */
export function publishedIn(rules: string): string[] {
  const all = rules.split('\n').flatMap((line) => {
    const [, proto, port] = /^-A DOCKER (?!.*-d ).*-p (\w+) .*--dport (\d+) .*-j DNAT\b/.exec(line) ?? []
    return proto === undefined ? [] : [`${proto}/${port}`]
  })
  return [...new Set(all)]
}

async function published({ door }: Patient): Promise<Finding[]> {
  const answer = await door.ask({ within: WITHIN })`iptables ${WAIT} -t nat -S DOCKER`
  // without a dockerd that has run there is no such chain
  if (answer.status === 1 && /No chain|does not exist|incompatible/i.test(answer.err)) return []
  if (answer.status !== 0) return unseen(answer)
  const ports = publishedIn(answer.out)
  if (ports.length === 0) return []
  return warn(
    ports.join(','),
    'docker publishes it on every local address: connections to public addresses end in a container, too',
    'publish it on one address: docker run -p ADDRESS:PORT:PORT',
  )
}

/** Only the NAT gateway forwards packets for others. */
async function forwarding({ door, settings }: Patient): Promise<Finding[]> {
  if ((settings?.text('CTDB_NATGW_PUBLIC_IP') ?? '') === '') return []
  const answer = await door.ask({ within: WITHIN })`iptables ${WAIT} -S FORWARD`
  if (answer.status !== 0) return unseen(answer)
  if (!/^-P FORWARD DROP$/m.test(answer.out)) return []
  return warn(
    'FORWARD',
    'its policy is DROP, as docker sets it: as NAT gateway this node drops what other nodes send',
    'iptables -I DOCKER-USER -s PRIVATE_NETWORK -j ACCEPT, and -d, of CTDB_NATGW_PRIVATE_NETWORK',
  )
}

const unseen = (answer: Answer) => warn('iptables', `cannot list docker's rules: ${why(answer)}`)
