/** What eth0 and its node should have, by kind; and what of that is there. */
import type { Booted } from '../lab/ctdb/booted.ts'
import { GATEWAY, OWN, PUBLIC } from './machine.ts'

export const KINDS = ['addresses', 'rules', 'routes', 'own address', 'own default route'] as const
export type Kind = (typeof KINDS)[number]

/** `addr 10.0.0.1`, `rule fd00::1`, `route TABLE DESTINATION`. */
const PARTS: Record<Kind, readonly string[]> = {
  addresses: PUBLIC.map((address) => `addr ${address}`),
  rules: ['rule 10.0.0.1', 'rule fd00::1'],
  routes: [
    'route main 10.77.0.0/16',
    'route main fd77::/64',
    'route ctdb.10.0.0.1 default',
    'route ctdb.fd00::1 default',
  ],
  'own address': OWN.map((address) => `addr ${address}`),
  'own default route': [`route main default ${GATEWAY}`],
}

/** The kinds of which some part is not among these. */
export function missing(there: ReadonlySet<string>): Kind[] {
  return KINDS.filter((kind) => PARTS[kind].some((part) => !there.has(part)))
}

const LOOK = `ip -json addr show dev eth0; for i in -4 -6; do ip $i -json rule; ip $i -json route show table all; done`

type Row = Partial<Record<'dst' | 'table' | 'gateway' | 'src', string>> & {
  priority?: number
  addr_info?: { local?: string }[]
}

export async function partsOf({ sh }: Booted): Promise<Set<string>> {
  const rows = (await sh(LOOK))
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => JSON.parse(line) as Row[])
  return new Set(rows.flatMap(partsIn))
}

function partsIn({ addr_info, priority, src, dst, table = 'main', gateway }: Row): string[] {
  if (addr_info) return addr_info.map(({ local }) => `addr ${local}`)
  if (priority === 100) return [`rule ${src}`]
  if (dst === undefined) return []
  return [`route ${table} ${dst}`, `route ${table} ${dst} ${gateway}`]
}

/** The kinds of parts that `ip -o monitor address route rule` saw deleted. Tables of policies are not counted: we fill them anew. */
export function deletedIn(text: string): Kind[] {
  const gone = new Set(
    text.split('\n').flatMap((line) => {
      if (!line.startsWith('Deleted ')) return []
      const [, address] = /^Deleted \d+: eth0\s+inet6? ([^/\s]+)\//.exec(line) ?? []
      const [, ruled] = /^Deleted 100:\s+from (\S+) lookup/.exec(line) ?? []
      const [, to, via] = /^Deleted (?!.* table )(\S+) via (\S+) dev eth0/.exec(line) ?? []
      return [
        ...(address === undefined ? [] : [`addr ${address}`]),
        ...(ruled === undefined ? [] : [`rule ${ruled}`]),
        ...(to === undefined ? [] : [`route main ${to}`, `route main ${to} ${via}`]),
      ]
    }),
  )
  return KINDS.filter((kind) => PARTS[kind].some((part) => gone.has(part)))
}
