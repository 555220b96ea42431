import type { Node } from '../../../node/node.ts'
import { parseTables } from './rt-tables.ts'
import { SHIPPED_IN } from './tables.ts'

/**
 * The protocol of our rules and routes, by which we know them again: a number that neither the kernel (linux/rtnetlink.h)
 * nor iproute2 (rt_protos) has given to anybody.
 */
export const OUR_PROTOCOL = '137'

/** The names that iproute2 has built in. */
export const PROTOCOLS =
  'kernel boot static ra dhcp redirect gated mrt zebra bird babel xorp ntk keepalived bgp isis ospf rip eigrp'.split(
    ' ',
  )

/** What a rule or a route shows of its origin: a number or a name. */
interface Protocol {
  protocol?: string
}

/** The names that an admin has given our number: looked for only where `ip` shows a name that is not its own. */
export async function namesOfMark(node: Node, shown: readonly Protocol[]): Promise<string[]> {
  const isStrange = ({ protocol = 'boot' }: Protocol) =>
    !/^\d+$/.test(protocol) && !PROTOCOLS.includes(protocol)
  return shown.some(isStrange) ? await readNamesOfMark(node) : []
}

/** The same rules or routes, with the number in place of these names. */
export function withMark<T extends Protocol>(shown: readonly T[], names: readonly string[]): T[] {
  return shown.map((each) =>
    names.includes(each.protocol ?? '') ? { ...each, protocol: OUR_PROTOCOL } : each,
  )
}

/** `ip` reads rt_protos, in the form of rt_tables, and all `rt_protos.d/*.conf`. */
async function readNamesOfMark(node: Node): Promise<string[]> {
  const texts: string[] = []
  for (const folder of [`${node.settings.etcdir}/iproute2`, ...SHIPPED_IN]) {
    texts.push((await node.read(`${folder}/rt_protos`)) ?? '')
    for (const name of ((await node.read(`${folder}/rt_protos.d/`)) ?? '').split('\n'))
      if (/^[^.].*\.conf$/.test(name)) texts.push((await node.read(`${folder}/rt_protos.d/${name}`)) ?? '')
  }
  return parseTables(texts.join('\n')).flatMap(({ id, name }) => (id === Number(OUR_PROTOCOL) ? [name] : []))
}
