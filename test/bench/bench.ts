/**
 * `npm run bench [-- --only events,bulk,cluster] [--runs N] [--json FILE] [--also SCRIPT] [--long] [--svg FILE]`: our
 * script beside CTDB's own, Pacemaker's IPaddr2 and a bare node; our event daemon beside CTDB's, keepalived and the
 * bare kernel. In network namespaces: touches nothing of this machine. Only the cluster, left out unless wanted, needs root.
 */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { parseArgs } from 'node:util'
import chalk from 'chalk'
import { whyNoLab } from '../lab/lab.ts'
import { measureBulk } from './bulk/bulk.ts'
import { measureCluster } from './cluster.ts'
import { measureEvents } from './events.ts'
import type { Options, Part } from './part.ts'

const PARTS: Record<string, (options: Options) => Promise<Part>> = {
  events: measureEvents,
  bulk: measureBulk,
  cluster: measureCluster,
}

if (process.env['NO_COLOR'] || !process.stdout.isTTY) chalk.level = 0

interface Wanted extends Options {
  parts: string[]
  json?: string
}

/** Throws for an option or a part that there is not. */
function wanted(): Wanted {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: 'events,bulk' },
      runs: { type: 'string', default: '9' },
      json: { type: 'string' },
      also: { type: 'string' },
      long: { type: 'boolean', default: false },
      svg: { type: 'string', default: 'docs/bench-bulk.svg' },
    },
  })
  const { only, json, also, long, svg } = values
  const parts = only.split(',')
  const unknown = parts.find((name) => !(name in PARTS))
  if (unknown !== undefined)
    throw new Error(`--only ${unknown}: no such part: expected some of ${Object.keys(PARTS).join(',')}`)
  return { parts, json, also, long, svg, runs: Math.max(1, Number(values.runs)) }
}

async function main(): Promise<void> {
  const { parts, json, ...options } = wanted()
  const reason = await whyNoLab()
  if (reason) return void process.stdout.write(`No bench: ${reason}\n`)
  const began = performance.now()
  const [load] = loadavg()
  const done: Part[] = []
  for (const name of parts) {
    const part = await PARTS[name]?.(options)
    if (!part) continue
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
  if (json) {
    const missing = done.flatMap((part) => part.missing)
    const figures = Object.assign({}, ...done.map((part) => part.figures)) as object
    writeFileSync(json, `${JSON.stringify({ machine, missing, ...figures }, undefined, 2)}\n`)
  }
}

await main()
