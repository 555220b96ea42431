/** Events in sequence: scripts as processes of their own. */
import type { Part, Options } from './part.ts'
import { Lab } from '../lab/lab.ts'
import { besideEvents } from './beside.ts'
import { contestants } from './contestants.ts'
import { furnish } from './furnish.ts'
import { inside } from './inside-lab.ts'
import type { Orders } from './inside.ts'
import type { Measured } from './measure.ts'
import { ALONE, rows, table } from './table.ts'
import { INTERFACES } from './tasks.ts'

const NOTES = `Medians of whole processes; interleaved (A B B A …), on a noisy machine: compare ratios.
progs: programs started by it (strace -f), for all alike: the process of the event itself is not counted; announcements
  in the background are not.
late: ms from the end of the kernel's duplicate detection ("ip monitor address") to the end.
monitor: ${INTERFACES.length} interfaces, ctdb is a stand-in of one program; IPaddr2 watches one address only.`

export async function measureEvents({ runs, also }: Options): Promise<Part> {
  const { missing } = contestants()
  const lab = await Lab.start()
  try {
    await furnish(lab)
    const orders: Orders = { runs, also, anchor: lab.node.pid }
    const results = rows(await inside<Measured[]>(lab, 'inside.js', orders), ALONE)
    return {
      lines: [table(results, ALONE)],
      missing,
      notes: NOTES,
      figures: { results },
      beside: besideEvents('events', results),
    }
  } finally {
    await lab.close()
  }
}
