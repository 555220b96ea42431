/** A rehearsal of several handlers, one after the other, deletes no address; the next handler must not find it all the same. */
import { altered, type System } from '../../machine/machine.ts'
import { rows } from '../ip-json.ts'

type Row = { ifname?: string; addr_info?: { local?: string; prefixlen?: number }[] }

/** Puts a memory around the machines of one rehearsal: what was to be deleted is in no later look at addresses. */
export function rememberingDeletions(): (machine: System) => System {
  const gone = new Set<string>()
  return (machine) =>
    altered(machine, {
      async run(verb, argv, options) {
        const answer = await machine.run(verb, argv, options)
        for (const { address, iface } of options.removes?.addresses ?? []) gone.add(`${address} ${iface}`)
        const isLook = verb === 'ask' && options.batch === 'ip' && answer.status === 0
        return isLook ? { ...answer, out: without(answer.out, gone) } : answer
      },
    })
}

function without(text: string, gone: ReadonlySet<string>): string {
  if (gone.size === 0) return text
  const shown: Row[] = rows(text, 'addresses')
  for (const row of shown)
    row.addr_info = row.addr_info?.filter(({ local }) => !gone.has(`${local} ${row.ifname}`))
  return JSON.stringify(shown)
}
