/** Events in sequence over the sockets of event daemons that are up all the time, and the cost of these daemons. */
import { Lab } from '../../lab/lab.ts'
import { besideEvents, besideUpkeep } from '../beside.ts'
import { furnish } from '../furnish.ts'
import { inside } from '../inside-lab.ts'
import type { Options, Part } from '../part.ts'
import { RESIDENT, rows, table, upkeepTable } from '../table.ts'
import { FLOOD, FLOODS, IDLE_SECONDS, missingStock, SETTLE_SECONDS } from './daemons.ts'
import type { ResidentOrders, ResidentResults } from './inside.ts'

const NOTES = `Medians of round trips over the daemon's socket; interleaved (A B B A …), on a noisy machine: compare ratios.
progs: programs started by it (strace -f), for all alike: the daemon is not counted, the script that CTDB's daemon
  starts is; announcements in the background are not.
MB: VmRSS when started, later after all of the above and after each of ${FLOODS} times ${FLOOD} setup events, fifty of
  them on their way at a time: so many a second; ticks of 10 ms of processor time in ${IDLE_SECONDS} s without an event,
  from ${SETTLE_SECONDS} s after the last.`

export async function measureResident({ runs, also, long }: Options): Promise<Part> {
  const lab = await Lab.start()
  try {
    await furnish(lab)
    const orders: ResidentOrders = { runs, also, long, anchor: lab.node.pid }
    const measured = await inside<ResidentResults>(lab, 'resident/inside.js', orders)
    const resident = rows(measured.events, RESIDENT)
    const { upkeep, memory } = measured
    return {
      lines: [table(resident, RESIDENT), '', upkeepTable(upkeep)],
      missing: missingStock(),
      notes: NOTES,
      figures: { resident, upkeep, memory },
      beside: [...besideEvents('resident', resident), ...besideUpkeep('resident', upkeep, memory)],
    }
  } finally {
    await lab.close()
  }
}
