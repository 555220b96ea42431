/** One event after another: scripts as processes of their own, then event daemons over their sockets. */
import type { Part, Options } from './part.ts'
import { startLab } from '../lab/lab.ts'
import { contestants } from './contestants.ts'
import { furnish } from './furnish.ts'
import { inside } from './inside-lab.ts'
import type { Results } from './inside.ts'
import { EVENTS, IDLE_SECONDS, SETTLE_SECONDS } from './resident/inside.ts'
import { ALONE, RESIDENT, rows, table, upkeepTable } from './table.ts'
import { INTERFACES } from './tasks.ts'

const NOTES = `Medians of whole processes, below of round trips over the daemon's socket; interleaved (A B A B …), on a noisy
  machine: compare ratios.
progs: programs started by it (strace -f), for all alike: the process of the event itself, or the daemon's, is not
  counted, the script that CTDB's daemon starts is; announcements in the background are not.
late: ms from the end of the kernel's duplicate detection ("ip monitor address") to the end.
monitor: ${INTERFACES.length} interfaces, ctdb is a stand-in of one program; IPaddr2 watches one address only.
MB: VmRSS when started, later after all of the above and ${EVENTS} setup events; ticks of 10 ms of processor time in
  ${IDLE_SECONDS} s without an event, from ${SETTLE_SECONDS} s after the last.`

export async function measureEvents({ runs, also, long }: Options): Promise<Part> {
  const { missing } = contestants()
  const lab = await startLab()
  try {
    await furnish(lab)
    const measured = await inside<Results>(lab, 'inside.js', { runs, also, long, anchor: lab.node.pid })
    const results = rows(measured.alone, ALONE)
    const resident = rows(measured.resident, RESIDENT)
    const { upkeep } = measured
    return {
      lines: [table(results, ALONE), '', table(resident, RESIDENT), '', upkeepTable(upkeep)],
      missing,
      notes: NOTES,
      figures: { results, resident, upkeep },
    }
  } finally {
    await lab.close()
  }
}
