/** The command line of the bench. */
import { parseArgs } from 'node:util'
import { refuse } from '../../runner/base/refusal.ts'
import { folderWithBuild } from './builds.ts'
import type { Options } from './part.ts'

export const PARTS = ['events', 'resident', 'bulk', 'cluster'] as const
export type PartName = (typeof PARTS)[number]

export interface BenchOptions extends Options {
  parts: PartName[]
  json?: string
}

/** Refuses an unknown option or part, and a value that cannot be used. */
export function benchOptions(argv: readonly string[]): BenchOptions {
  const { only, runs, json, also, long, svg } = parsed(argv)
  return {
    parts: only.split(',').map(partName),
    runs: count(runs),
    json,
    also: also === undefined ? undefined : folderWithBuild(also),
    long,
    // The plot of docs/bench.md does not show a comparison of two builds.
    svg: svg ?? (also === undefined ? 'docs/bench-bulk.svg' : undefined),
  }
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string', default: 'events,resident,bulk' },
        runs: { type: 'string', default: '9' },
        json: { type: 'string' },
        also: { type: 'string' },
        long: { type: 'boolean', default: false },
        svg: { type: 'string' },
      },
    }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function partName(name: string): PartName {
  const known = PARTS.find((part) => part === name)
  return known ?? refuse(`--only ${name}: no such part: expected some of ${PARTS.join(',')}`)
}

function count(text: string): number {
  return /^[1-9]\d*$/.test(text) ? Number(text) : refuse(`--runs ${text}: expected a whole number from 1`)
}
