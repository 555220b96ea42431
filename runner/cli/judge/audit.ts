import { Usage } from '../../base/refusal.ts'
import { asObjects, asTable, formatOf, type FormatOptions } from '../../format/table.ts'
import { ADDRESS_COLUMNS } from '../../inspect/addresses.ts'
import { audit, type Audited } from '../../inspect/audit/audit.ts'
import { commandOf, faultColumns } from '../../inspect/audit/fault.ts'
import { REPAIR_COLUMNS, repairAll, type Repaired } from '../../inspect/audit/repair.ts'
import { summaryOf } from '../../inspect/audit/summary.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import { live } from '../../machine/live/live.ts'
import { doorTo } from '../../machine/machine.ts'
import { mustBePrivileged } from '../../net/privilege.ts'
import { nodeOutsideEvents } from '../../node/node-outside-events.ts'
import type { Facts } from '../../node/facts.ts'
import type { Command } from '../command.ts'
import { factsFor, folderOf, OWN_EVENTS } from '../here.ts'
import { interruptible } from '../interrupt.ts'
import { ALL_NODES, EVENTS, LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { complain, printListing, type Output } from '../output.ts'
import { auditAllNodes } from './all-nodes.ts'
import { allFindingLines, repairLines } from './finding-lines.ts'

type Args = FormatOptions & { timeout: string; events?: string; fix?: boolean; allNodes?: boolean }

export default {
  usage: 'audit',
  describe: 'the addresses as configured, as believed and as they are; what is wrong, with its repair',
  options: {
    ...LISTING,
    timeout: { ...TIMEOUT, default: '30' },
    events: EVENTS,
    fix: { type: 'boolean', describe: 'do the repairs, then look again; needs root' },
    'all-nodes': ALL_NODES,
  },
  async handler(args: Args, output) {
    formatOf(args)
    const facts = factsFor(args.events)
    if (args.allNodes && args.fix)
      throw new Usage('--fix repairs this node: give it there, without --all-nodes')
    if (args.allNodes) return await auditAllNodes(output, args, facts, timeoutOf(args))
    const look = async () => {
      const node = await nodeHere(facts, timeoutOf(args))
      if (args.fix) mustBePrivileged(node)
      return await audit(node, facts, OWN_EVENTS)
    }
    const found = await look()
    const repaired = args.fix ? await repair(found, args, facts) : []
    const left = repaired.length > 0 ? await look() : found
    printAudit(output, args, left, repaired)
    return left.trouble.length > 0 || left.faults.some(({ state }) => state === 'error') ? 1 : 0
  },
} satisfies Command

async function repair({ faults }: Audited, args: Args, facts: Facts): Promise<Repaired[]> {
  return await repairAll(faults, {
    facts,
    events: folderOf(args),
    named: args.events,
    interrupt: interruptible(),
    nodeWith: async (say) => await nodeOutsideEvents(doorTo(live()), facts, say),
  })
}

function printAudit(output: Output, args: Args, audited: Audited, repaired: readonly Repaired[]): void {
  const { rows, faults, trouble } = audited
  const columns = faultColumns(args.events)
  const json = {
    addresses: asObjects(ADDRESS_COLUMNS, rows),
    faults: asObjects(columns, faults),
    repairs: asObjects(REPAIR_COLUMNS, repaired),
    trouble,
  }
  const text = () => forPeople(output, audited, repaired, args.events)
  printListing(output, args, { columns, rows: faults, json, text })
  const { kind } = formatOf(args)
  if (kind !== 'json') trouble.forEach(complain)
  if (kind === 'fields')
    for (const { command: shell, outcome, said } of repaired)
      if (outcome !== 'ok') complain(`"${shell}": ${said.join('; ')}`)
}

function forPeople(
  { paints, width }: Output,
  audited: Audited,
  repaired: readonly Repaired[],
  events?: string,
): string[] {
  const { rows, faults } = audited
  return [
    ...repaired.flatMap((each) => repairLines(paints, each)),
    ...asTable(ADDRESS_COLUMNS, rows, width, paints),
    ...allFindingLines(
      paints,
      faults.map(({ state, subject, seen, expected, repair: remedy }) => ({
        state,
        subject,
        text: `${seen}: expected ${expected}`,
        remedy: remedy && commandOf(remedy, events),
      })),
    ),
    summaryOf(audited),
  ]
}
