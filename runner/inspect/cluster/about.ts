/** What the nodes of a cluster should have in common: versions, options, public addresses. */
import { LVS_ADDRESS, POLICY_ROUTING, PUBLIC_ADDRESSES, STATIC_ROUTES } from '../../node/handler-names.ts'
import { OPTION_NAMES } from '../../node/options.ts'
import { readOptions } from '../../node/options-files.ts'
import { baseOf } from '../../node/ctdb-path.ts'
import { toolOf, versionOf } from '../../node/ctdb-version.ts'
import { orReason } from '../../net/ctdb/daemon-view.ts'
import { listedAsFarAsKnown } from '../listed.ts'
import type { Facts } from '../../node/facts.ts'
import type { Node } from '../../node/node.ts'
import type { Column } from '../../format/table.ts'

/** One thing that other nodes have, too. */
export interface Shared {
  kind: 'version' | 'option' | 'address'
  name: string
  value: string
}

export const SHARED_COLUMNS: readonly Column<Shared>[] = [
  { name: 'Kind', field: 'kind', value: ({ kind }) => kind },
  { name: 'Name', field: 'name', value: ({ name }) => name },
  { name: 'Value', field: 'value', value: ({ value }) => value },
]

/** Those that have options. */
const HANDLERS = [PUBLIC_ADDRESSES, STATIC_ROUTES, POLICY_ROUTING, LVS_ADDRESS]

/** This node's side, and what of it could not be looked at. `version` is our own. */
export async function aboutHere(
  node: Node,
  facts: Facts,
  version: string,
): Promise<{ rows: Shared[]; trouble: string[] }> {
  const { entries, problems } = await listedAsFarAsKnown(node)
  const options = await orReason(optionsOf(node, facts))
  const ctdb = await versionOf(node, toolOf(facts.env))
  const rows: Shared[] = [
    { kind: 'version', name: 'eventscript', value: version },
    { kind: 'version', name: 'node', value: process.versions.node },
    { kind: 'version', name: 'ctdb', value: ctdb?.join('.') ?? 'not found' },
    ...(typeof options === 'string' ? [] : options),
    ...entries.map(({ address, bits, ifaces }) => ({
      kind: 'address' as const,
      name: address,
      value: `/${bits} ${ifaces.join(',')}`,
    })),
  ]
  return { rows, trouble: [...problems, ...(typeof options === 'string' ? [options] : [])] }
}

/** The options that are set, for all handlers or for one. */
async function optionsOf(node: Node, { env, optionsFolder }: Facts): Promise<Shared[]> {
  const files = [`${baseOf(env)}/script.options`]
  const common = (await readOptions(node, files, {})).values
  const all = OPTION_NAMES.flatMap((name) => option(name, common[name]))
  for (const handler of HANDLERS) {
    const { values } = await readOptions(node, [...files, `${optionsFolder}/${handler}.options`], {})
    for (const name of OPTION_NAMES)
      if (values[name] !== common[name]) all.push(...option(`${name} of ${handler}`, values[name]))
  }
  return all
}

function option(name: string, value: string | undefined): Shared[] {
  return value === undefined || value === '' ? [] : [{ kind: 'option', name, value }]
}
