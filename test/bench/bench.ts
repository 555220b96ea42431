/**
 * `npm run bench [-- --only events,resident,bulk,cluster] [--runs N] [--json FILE] [--also FOLDER] [--long] [--svg FILE]`:
 * our script beside CTDB's own, Pacemaker's IPaddr2 and a bare node; our event daemon beside CTDB's, keepalived and the
 * bare kernel; all of ours beside another build. In network namespaces: touches nothing of this machine. Only the
 * cluster, left out unless wanted, needs root.
 */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import chalk from 'chalk'
import { Refusal } from '../../runner/base/refusal.ts'
import { whyNoLab } from '../lab/needs.ts'
import { besideTable } from './beside.ts'
import { measureBulk } from './bulk/bulk.ts'
import { measureCluster } from './cluster.ts'
import { measureEvents } from './events.ts'
import { benchOptions, type BenchOptions, type PartName } from './options.ts'
import type { Options, Part } from './part.ts'
import { measureResident } from './resident/resident.ts'

const MEASURE: Record<PartName, (options: Options) => Promise<Part>> = {
  events: measureEvents,
  resident: measureResident,
  bulk: measureBulk,
  cluster: measureCluster,
}

if (process.env['NO_COLOR'] || !process.stdout.isTTY) chalk.level = 0

/** The remark on ratios that were measured beside other work. The bench itself keeps a single processor busy. */
function busy(load: readonly number[]): string {
  return Math.max(...load) > cpus().length
    ? `the machine was busy, load ${load.join(' to ')}, ${cpus().length} processors: do not trust these ratios\n`
    : ''
}

async function main({ parts, json, ...options }: BenchOptions): Promise<void> {
  const reason = await whyNoLab()
  if (reason) return void process.stdout.write(`No bench: ${reason}\n`)
  const began = performance.now()
  const [load] = loadavg()
  const done: Part[] = []
  for (const name of parts) {
    const part = await MEASURE[name](options)
    done.push(part)
    process.stdout.write([...part.lines, ...part.missing, part.notes, '', ''].join('\n'))
  }
  const machine = {
    date: new Date().toISOString(),
    kernel: release(),
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    node: process.version,
    load: [load, loadavg()[0]].map((each) => Number(each?.toFixed(1))),
    runs: options.runs,
    seconds: Math.round((performance.now() - began) / 1000),
  }
  const { date, kernel, node, seconds, cpu, runs } = machine
  process.stdout.write(
    `${date.slice(0, 10)}, kernel ${kernel}, ${cpus().length} × ${cpu}, node ${node}, ${runs} runs, ${seconds} s, load ${machine.load.join(' to ')}\n`,
  )
  const beside = done.flatMap((part) => part.beside ?? [])
  if (options.also !== undefined && beside.length > 0)
    process.stdout.write(`\nother: ${options.also}\n${besideTable(beside)}\n${busy(machine.load)}`)
  if (json) {
    const missing = done.flatMap((part) => part.missing)
    const figures = Object.assign({}, ...done.map((part) => part.figures)) as object
    writeFileSync(json, `${JSON.stringify({ machine, missing, ...figures, beside }, undefined, 2)}\n`)
  }
}

try {
  await main(benchOptions(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
