/** The command that compares what should be with what is, address by address, and mends it. */
import { commandOf, faultColumns, type Fault } from '../inspect/audit/fault.ts'
import { audit, countHere, type Audited } from '../inspect/audit/audit.ts'
import { REPAIR_COLUMNS, repairAll, type Repaired } from '../inspect/audit/repair.ts'
import { nodeOutsideEvents } from '../node/node-outside-events.ts'
import { ADDRESS_COLUMNS } from '../inspect/addresses.ts'
import { nodeHere } from '../inspect/node-here.ts'
import { doorTo } from '../machine/machine.ts'
import { live } from '../machine/live.ts'
import { asObjects, asText, formatOf, type FormatOptions } from '../format/table.ts'
import { findingLines, headings } from './care.ts'
import { LISTING, printListing, type Command, type Screen } from './command.ts'
import { LIMIT, limitOf } from './seen.ts'
import { mustBePrivileged } from '../net/privilege.ts'

type Args = FormatOptions & { timeout: string; events?: string; fix?: boolean }

export function auditCommands(screen: Screen): Command[] {
  const head = headings(screen.paints)

  function forPeople({ rows, faults }: Audited, repaired: readonly Repaired[], events?: string): string[] {
    const count = (state: Fault['state']) => faults.filter((each) => each.state === state).length
    const addresses = `${rows.length} public addresses, ${countHere({ rows })} of them here`
    return [
      ...repaired.flatMap(({ command, outcome, said }) => [
        `${outcome === 'ok' ? head.done : head.failed}${command}`,
        ...said.map((line) => `         ${line}`),
      ]),
      ...asText(ADDRESS_COLUMNS, rows, screen.width, screen.paints),
      ...faults.flatMap(({ state, subject, seen, expected, repair }) =>
        findingLines(screen.paints, {
          state,
          subject,
          text: `${seen}: expected ${expected}`,
          remedy: repair && commandOf(repair, events),
        }),
      ),
      faults.length === 0
        ? `nothing is wrong: ${addresses}`
        : `${count('error')} wrong, ${count('warning')} weak: ${addresses}`,
    ]
  }

  return [
    {
      command: 'audit',
      describe: 'the addresses as configured, as believed and as they are; what is wrong, with its repair',
      options: {
        ...LISTING,
        timeout: { ...LIMIT.timeout, default: '30' },
        fix: { type: 'boolean', describe: 'do the repairs, then look again; needs root' },
      },
      async handler(args: Args) {
        const format = formatOf(args)
        const facts = screen.facts(args.events)
        const look = async () => {
          const node = await nodeHere(facts, limitOf(args))
          if (args.fix) mustBePrivileged(node)
          return await audit(node, facts)
        }
        let found = await look()
        const nodeWith = async (say: (line: string) => void) =>
          await nodeOutsideEvents(doorTo(live()), facts, say)
        const events = screen.events(args)
        const repaired = args.fix
          ? await repairAll(found.faults, {
              facts,
              events,
              named: args.events,
              interrupt: screen.interruptible(),
              nodeWith,
            })
          : []
        if (repaired.length > 0) found = await look()

        const columns = faultColumns(args.events)
        const { rows, faults, trouble } = found
        const json = {
          addresses: asObjects(ADDRESS_COLUMNS, rows),
          faults: asObjects(columns, faults),
          repairs: asObjects(REPAIR_COLUMNS, repaired),
          trouble,
        }
        const text = () => forPeople(found, repaired, args.events)
        printListing(screen, args, { columns, rows: faults, json, text })
        if (format.kind !== 'json') for (const line of trouble) process.stderr.write(`eventscript: ${line}\n`)
        if (format.kind === 'fields')
          for (const { command, outcome, said } of repaired)
            if (outcome !== 'ok') process.stderr.write(`eventscript: "${command}": ${said.join('; ')}\n`)
        if (trouble.length > 0 || faults.some(({ state }) => state === 'error')) process.exitCode = 1
      },
    },
  ]
}
