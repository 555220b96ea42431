/** A rehearsal of several handlers, one after the other, deletes no address; the next handler must not find it all the same. */
import { deletionsIn, type Line } from './siblings.ts'
import type { System } from '../../machine/machine.ts'

type Row = { ifname?: string; addr_info?: { local?: string; prefixlen?: number }[] }

/** Puts a memory around the machines of one rehearsal: what was to be deleted is in no later look at addresses. */
export function rememberingDeletions(): (machine: System) => System {
  const gone = new Set<string>()
  return (machine) => ({
    ...machine,
    async run(verb, argv, options) {
      const answer = await machine.run(verb, argv, options)
      const [program, first, second] = argv
      if (program !== 'ip') return answer
      const deletions = options.input === undefined ? deletionsOf(argv) : deletionsIn(options.input)
      if (verb === 'change') for (const line of deletions) gone.add(placeOf(line))
      if (first !== '-json' || second !== 'addr' || answer.status !== 0) return answer
      return { ...answer, out: without(answer.out, gone) }
    },
  })
}

function deletionsOf([, ...line]: readonly string[]): Line[] {
  return line[0] === 'addr' && line[1] === 'del' ? [line] : []
}

/** Of `addr del ADDRESS/BITS dev IFACE`, or `… ADDRESS peer PEER/BITS dev IFACE`. */
function placeOf(line: Line): string {
  const [address] = (line[2] ?? '').split('/')
  return `${address} ${line.at(-1)}`
}

function without(text: string, gone: ReadonlySet<string>): string {
  if (gone.size === 0) return text
  const rows = JSON.parse(text) as Row[]
  for (const row of rows)
    row.addr_info = row.addr_info?.filter(({ local }) => !gone.has(`${local} ${row.ifname}`))
  return JSON.stringify(rows)
}
