/**
 * `npm run bench [-- --runs N] [--json FILE] [--also SCRIPT] [--long]`: our script beside CTDB's own, Pacemaker's
 * IPaddr2 and a bare node; our event daemon beside CTDB's. In a namespace with ten interfaces. Needs no root and touches nothing of this machine.
 */
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import chalk from 'chalk'
import { execa } from 'execa'
import { startLab, whyNoLab, type Lab } from '../lab/lab.ts'
import { contestants } from './contestants.ts'
import type { Orders, Results } from './inside.ts'
import { EVENTS, IDLE_SECONDS, SETTLE_SECONDS } from './resident.ts'
import { ALONE, RESIDENT, rows, table, upkeepTable } from './table.ts'
import { INTERFACES } from './tasks.ts'

const INSIDE = fileURLToPath(new URL('inside.js', import.meta.url))

const NOTES = `Medians of whole processes, below of round trips over the daemon's socket; interleaved (A B A B …), on a noisy
  machine: compare ratios.
progs: programs started by it (strace -f), for all alike: the process of the event itself, or the daemon's, is not
  counted, the script that CTDB's daemon starts is; announcements in the background are not.
late: ms from the end of the kernel's duplicate detection ("ip monitor address") to the end.
monitor: ${INTERFACES.length} interfaces, ctdb is a stand-in of one program; IPaddr2 watches one address only.
MB: VmRSS when started, later after all of the above and ${EVENTS} setup events; ticks of 10 ms of processor time in
  ${IDLE_SECONDS} s without an event, from ${SETTLE_SECONDS} s after the last.`

if (process.env['NO_COLOR'] || !process.stdout.isTTY) chalk.level = 0

async function measure(lab: Lab, orders: Orders): Promise<Results> {
  const enter = ['-t', String(lab.node.pid), '-U', '-n', '-m', '--preserve-credentials', '--']
  const { stdout } = await execa('nsenter', [...enter, process.execPath, INSIDE, JSON.stringify(orders)], {
    env: lab.env,
    stdin: 'ignore',
    stderr: 'inherit',
  })
  return JSON.parse(stdout) as Results
}

/** One more interface of the node on the wire; eth0 and eth1 are there. */
async function plug({ node, observer }: Lab, name: string): Promise<void> {
  const port = `port-${name}`
  const peer = ['peer', 'name', port, 'netns', String(observer.pid)]
  await node.must('ip', 'link', 'add', name, 'type', 'veth', ...peer)
  await observer.must('ip', 'link', 'set', port, 'master', 'lan', 'up')
  await node.must('ip', 'link', 'set', name, 'up')
}

/** Ten interfaces, what CTDB's script needs of its own, and a ctdb tool that is as cheap as can be. */
async function furnish(lab: Lab): Promise<void> {
  for (const name of INTERFACES.slice(2)) await plug(lab, name)
  const names = INTERFACES.join(',')
  lab.configure('public_addresses', `10.0.0.1/24 ${names}\nfd00::1/64 ${names}\n`)
  if (existsSync('/etc/ctdb/functions')) symlinkSync('/etc/ctdb/functions', join(lab.dir, 'etc/functions'))
  const known = ['|Name|LinkStatus|References|', ...INTERFACES.map((name) => `|${name}|1|0|`)].join('\\n')
  const program = `#!/bin/sh\n[ "$*" != "-X ifaces" ] || printf '${known}\\n'\n`
  writeFileSync(join(lab.dir, 'bin/ctdb'), program)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '15' },
      json: { type: 'string' },
      also: { type: 'string' },
      long: { type: 'boolean', default: false },
    },
  })
  const reason = await whyNoLab()
  if (reason) return void process.stdout.write(`No bench: ${reason}\n`)
  const { missing } = contestants()
  const began = performance.now()
  const lab = await startLab()
  try {
    await furnish(lab)
    const runs = Math.max(1, Number(values.runs))
    const [load] = loadavg()
    const { also, long } = values
    const measured = await measure(lab, { runs, also, long, anchor: lab.node.pid })
    const results = rows(measured.alone, ALONE)
    const resident = rows(measured.resident, RESIDENT)
    const { upkeep } = measured
    const machine = {
      date: new Date().toISOString(),
      kernel: release(),
      cpus: cpus().length,
      cpu: cpus()[0]?.model,
      node: process.version,
      load: [load, loadavg()[0]].map((each) => Number(each?.toFixed(1))),
      runs,
      seconds: Math.round((performance.now() - began) / 1000),
    }
    const { date, kernel, node, seconds, cpu } = machine
    const facts = `${date.slice(0, 10)}, kernel ${kernel}, ${cpus().length} × ${cpu}, node ${node}, ${runs} runs, ${seconds} s, load ${machine.load.join(' to ')}`
    const tables = [table(results, ALONE), '', table(resident, RESIDENT), '', upkeepTable(upkeep)]
    process.stdout.write([...tables, '', facts, ...missing, NOTES, ''].join('\n'))
    if (values.json)
      writeFileSync(
        values.json,
        `${JSON.stringify({ machine, missing, results, resident, upkeep }, undefined, 2)}\n`,
      )
  } finally {
    await lab.close()
  }
}

await main()
