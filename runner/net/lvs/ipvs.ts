import type { Node } from '../../node/node.ts'
import { packageOf } from '../../machine/remedy/remedy.ts'
import { endpointText } from '../clients/connections.ts'
import { why } from '../answer.ts'

/** ipvsadm's options for TCP and UDP. */
const PROTOCOLS = ['-t', '-u'] as const

/** Seconds for which a client stays with its server: 23 days, CTDB's own value. */
const PERSISTENCE = '1999999'

/** The servers of the services for all ports of an address, by `-t` and `-u`. Without a key there is no such service. */
export type Services = ReadonlyMap<string, readonly string[]>

/** Reads `ipvsadm -S -n`: `-A -t ADDRESS:0 …` is a service, `-a -t ADDRESS:0 -r SERVER:0 …` one of its servers. */
export function parseServices(text: string, address: string): Services {
  const services = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [what = '', protocol = '', service, , server = ''] = line.trim().split(/\s+/)
    if (service !== allPorts(address)) continue
    if (what === '-A') services.set(protocol, [])
    if (what === '-a') services.get(protocol)?.push(server)
  }
  return services
}

function allPorts(address: string): string {
  return endpointText({ address, port: 0 })
}

/**
 * The lines for `ipvsadm -R` that turn the present services into those with these servers, or remove them when `servers` is
 * undefined. Servers that stay are not touched: their connections go on.
 */
export function planServices(
  now: Services,
  address: string,
  servers: readonly string[] | undefined,
): string[] {
  const service = allPorts(address)
  return PROTOCOLS.flatMap((protocol) => {
    const before = now.get(protocol)
    if (!servers) return before ? [`-D ${protocol} ${service}`] : []
    const wanted = servers.map(allPorts)
    const extra = (before ?? []).filter((server) => !wanted.includes(server))
    return [
      ...(before ? [] : [`-A ${protocol} ${service} -s lc -p ${PERSISTENCE}`]),
      ...wanted
        .filter((server) => !before?.includes(server))
        .map((server) => `-a ${protocol} ${service} -r ${server} -g`),
      ...extra.map((server) => `-d ${protocol} ${service} -r ${server}`),
    ]
  })
}

/** Why this node could not lead; undefined when it could. The first words are CTDB's own. */
export async function whyNoIpvs(node: Node): Promise<string | undefined> {
  if (!(await node.find('ipvsadm')))
    return `LVS configured but ipvsadm not found: this node cannot lead: ${packageOf('ipvsadm')}`
  const listed = await node.ask`ipvsadm -S -n`
  return listed.status === 0 ? undefined : `LVS configured but the kernel has no IPVS: ${whyNot(listed)}`
}

function whyNot(answer: Parameters<typeof why>[0]): string {
  const reason = why({ ...answer, err: answer.err.replaceAll(/^modprobe: .*\n|^Are you sure .*\n/gm, '') })
  return /not permitted/i.test(reason) ? reason : `${reason}: "modprobe ip_vs" says why`
}

/**
 * Set services for all TCP and UDP ports of the address with these servers, or remove them when `servers` is undefined. A
 * node without ipvsadm, or without IPVS in its kernel, has none. Gives what went wrong: ipvsadm goes on after a failed line,
 * and its exit status is 0.
 */
export async function setServices(
  node: Node,
  address: string,
  servers: readonly string[] | undefined,
): Promise<string | undefined> {
  if (!(await node.find('ipvsadm'))) return servers && `ipvsadm not found: ${packageOf('ipvsadm')}`
  const listed = await node.ask`ipvsadm -S -n`
  if (listed.status !== 0) return servers && `ipvsadm cannot show the services: ${whyNot(listed)}`
  const plan = planServices(parseServices(listed.out, address), address, servers)
  node.because(
    plan.length === 0
      ? `the IPVS services of ${address} are as wanted`
      : `${plan.length} changes of the IPVS services of ${address}`,
  )
  if (plan.length === 0) return undefined
  const done = await node.change({ input: plan.map((line) => `${line}\n`).join('') })`ipvsadm -R`
  if (done.status === 0 && done.err.trim() === '') return undefined
  return `ipvsadm cannot set up the services of ${address}: ${why(done)}: "ipvsadm -Ln" shows them`
}
