/**
 * The part of the bench that runs inside the node's namespace, so that no process lies between the clock and the
 * timed work. The runs are interleaved: a single run of each contestant, then again in reverse, so that a busy moment
 * meets them all.
 */
import { contestants, type Contestant } from './contestants.ts'
import { counted, DadWatch, endLeftovers, inTurn, timed, type Measured } from './measure.ts'
import { isDone, prepare, TASKS, type Task } from './tasks.ts'

/** The orders of `bench.ts`. */
export interface Orders {
  runs: number
  also?: string
  /** The process that holds the namespace open. */
  anchor: number
}

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders
delete process.env['NODE_OPTIONS'] // set by the starter of the bench: no measured program may see it
const vardir = process.env['CTDB_SCRIPT_VARDIR'] ?? ''
const dad = new DadWatch()

async function ready(task: Task, contestant: Contestant): Promise<void> {
  await endLeftovers([orders.anchor, dad.pid])
  prepare(task, contestant.name, vardir)
  dad.forget()
}

async function once(task: Task, contestant: Contestant, into: Measured): Promise<void> {
  await ready(task, contestant)
  const { status, output, began, ended } = await timed(contestant.command(task))
  into.wall.push(ended - began)
  if (contestant.name.startsWith('node')) return
  if (status !== 0 || !isDone(task, contestant.name))
    throw new Error(`${task.name}, ${contestant.name}: exit status ${status}, not done: ${output}`)
  const settled = task.event === 'takeip' ? await dad.endFor(task.address) : undefined
  if (settled !== undefined) into.late.push(ended - settled)
}

const { here } = contestants(orders.also)
const alone: Measured[] = []
for (const task of TASKS) {
  process.stderr.write(`${task.name} …\n`)
  const measured = here.map(({ name }): Measured => ({
    task: task.name,
    contestant: name,
    wall: [],
    late: [],
  }))
  for (let run = -1; run < orders.runs; run += 1)
    for (const [i, contestant] of inTurn(here, run)) {
      const into = measured[i]
      // The first round only warms the caches.
      if (into) await once(task, contestant, run < 0 ? { ...into, wall: [], late: [] } : into)
    }
  for (const [i, contestant] of here.entries()) {
    const into = measured[i]
    await ready(task, contestant)
    if (into) into.programs = counted(contestant.command(task))
  }
  alone.push(...measured)
}
await endLeftovers([orders.anchor, dad.pid])
dad.close()
process.stdout.write(JSON.stringify(alone))
