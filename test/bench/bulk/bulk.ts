/** Bulk failover: requests for many addresses at once. Needs no root. */
import { writeFileSync } from 'node:fs'
import { Lab } from '../../lab/lab.ts'
import { besideBulk } from '../beside.ts'
import { OTHER } from '../builds.ts'
import { furnishForBulk } from '../furnish.ts'
import { inside } from '../inside-lab.ts'
import type { Options, Part } from '../part.ts'
import { LIMIT_MS } from './contestants.ts'
import type { BulkOrders, BulkResults } from './inside.ts'
import { plot } from './plot.ts'
import { bulkRows, bulkTable, mishaps, targets } from './table.ts'

const NOTES = `All requests are sent at once over the daemon's socket; seconds until the last reply, medians, interleaved; a burst
  of more than 3 s, or with a failure (✗), is done once; one is given up after ${LIMIT_MS / 1000} s.
keepalived: from its first packet as master until the last address is up; it does no duplicate detection.
ip -batch: the kernel's floor, IPv6 with nodad; "DAD": until none is tentative any more.
announced: until each was announced once, as the other end of the wire sees it, from the first request.
ms each: what one address more costs, between two of the columns: the same in both where growth is linear.`

export async function measureBulk({ runs, also, svg }: Options): Promise<Part> {
  const lab = await Lab.start()
  try {
    await furnishForBulk(lab)
    const rows = JSON.parse(await lab.observer.must('ip', '-json', 'link', 'show', 'dev', 'port-eth0')) as {
      ifindex: number
    }[]
    const orders: BulkOrders = {
      rounds: Math.ceil(runs / 3),
      also,
      anchor: lab.node.pid,
      observer: { pid: lab.observer.pid, iface: rows[0]?.ifindex ?? 0 },
    }
    const { measured, left } = await inside<BulkResults>(lab, 'bulk/inside.js', orders)
    const bulk = bulkRows(measured)
    const plotted = svg === undefined ? [] : [`${svg} is written`]
    if (svg !== undefined)
      writeFileSync(svg, plot(bulk.filter(({ contestant }) => !contestant.startsWith(OTHER))))
    return {
      lines: [bulkTable(bulk), '', ...targets(bulk), ...mishaps(measured), ...plotted],
      missing: left,
      notes: NOTES,
      figures: { bulk },
      beside: besideBulk('bulk', bulk),
    }
  } finally {
    await lab.close()
  }
}
