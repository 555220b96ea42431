/**
 * Runs a single process and measures its time, then ends all processes left behind. Runs inside the node's namespace.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from './contestants.ts'
import { countPrograms } from './strace.ts'

export interface Measured {
  task: string
  contestant: string
  /** Milliseconds of the whole process, a number for each run. */
  wall: number[]
  /** Milliseconds from the end of duplicate detection to the end of the process. */
  late: number[]
  programs?: number
}

export interface Run {
  status: number | null
  output: string
  /** `performance.now()` at the start and when the process was gone. */
  began: number
  ended: number
}

/** Runs the process itself until its exit. Processes that it has started in the background are not waited for. */
export async function timed({ argv: [program = '', ...words], env }: Command): Promise<Run> {
  let output = ''
  const began = performance.now()
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data.toString()
    })
  const [status] = (await once(child, 'exit')) as [number | null]
  return { status, output, began, ended: performance.now() }
}

const CALLS = ['-f', '-e', 'trace=execve,clone,clone3,fork,vfork', '-e', 'signal=none']

/** The number of programs that the process starts, or undefined without strace. Slow, so never timed. */
export function counted({ argv, env }: Command): number | undefined {
  const log = `/run/bench.${process.pid}.strace`
  const { error } = spawnSync('strace', [...CALLS, '-o', log, ...argv], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  })
  if (error) return undefined
  const programs = countPrograms(readFileSync(log, 'utf8'))
  rmSync(log)
  return programs
}

/** The same for a process that is already up with its helpers, during that work. */
export async function watched(pid: number, work: () => Promise<unknown>): Promise<number | undefined> {
  const log = `/run/bench.${process.pid}.strace`
  const pids = withHelpers(pid)
  const strace = spawn('strace', [...CALLS, '-o', log, ...pids.flatMap((each) => ['-p', String(each)])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const attached = await new Promise<boolean>((resolve) => {
    let said = ''
    strace.stderr.on('data', (data: Buffer) => {
      said += data.toString()
      // strace reports a process that has ended meanwhile as a failure, but this is no failure.
      if ((said.match(/^strace: (?:Process \d+ attached|attach: )/gm) ?? []).length >= pids.length)
        resolve(true)
    })
    strace.on('error', () => resolve(false))
    strace.on('exit', () => resolve(false))
  })
  if (!attached) return undefined
  await work()
  const gone = once(strace, 'exit')
  strace.kill('SIGINT')
  await gone
  const programs = countPrograms(readFileSync(log, 'utf8'))
  rmSync(log)
  return programs
}

/**
 * Ends the processes in our network namespace that must not stay: announcements in the background would disturb the
 * next run. The helpers of a kept daemon are kept, but not its announcers of a single address.
 */
export async function endLeftovers(keep: readonly (number | undefined)[]): Promise<void> {
  const own = readlinkSync('/proc/self/ns/net')
  for (;;) {
    const left = readdirSync('/proc').filter(
      (pid) =>
        /^\d+$/.test(pid) && Number(pid) !== process.pid && isIn(own, pid) && !isKept(Number(pid), keep),
    )
    if (left.length === 0) return
    for (const pid of left) kill(Number(pid))
    await sleep(5)
  }
}

/** The process, or a process that has started it, is to be kept. */
function isKept(pid: number, keep: readonly (number | undefined)[]): boolean {
  if (keep.includes(pid)) return true
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('announce.cjs')) return false
    const parent = parentOf(pid)
    return parent > 1 && parent !== process.pid && isKept(parent, keep)
  } catch {
    return false // The process has ended meanwhile.
  }
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(
    stat
      .slice(stat.lastIndexOf(')') + 1)
      .trim()
      .split(' ')[1],
  )
}

/** A process and all living processes that it has started. */
export function withHelpers(pid: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return [pid, ...all.map(Number).filter((each) => each !== pid && isKept(each, [pid]))]
}

function isIn(namespace: string, pid: string): boolean {
  try {
    // A zombie has no namespaces any more, and those of other users cannot be read.
    return readlinkSync(`/proc/${pid}/ns/net`) === namespace
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // The process has ended meanwhile.
  }
}

/** Learns from the kernel when an address is no longer tentative. */
export class DadWatch {
  readonly #ended = new Map<string, number>()
  readonly #child: ChildProcess

  constructor() {
    this.#child = spawn('ip', ['-o', 'monitor', 'address'], { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#child.stdout?.on('data', (data: Buffer) => this.#heard(data.toString(), performance.now()))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  #heard(text: string, at: number): void {
    for (const line of text.split('\n')) {
      const address = / inet6 ([^/ ]+)\//.exec(line)?.[1]
      if (address && !line.startsWith('Deleted') && !line.includes('tentative')) this.#ended.set(address, at)
    }
  }

  /** The end for this address, as far as known a moment after the event. */
  async endFor(address: string): Promise<number | undefined> {
    await sleep(5)
    return this.#ended.get(address)
  }

  forget(): void {
    this.#ended.clear()
  }

  close(): void {
    this.#child.kill()
  }
}

/** Processor time of a process so far, in the kernel's ticks of 10 ms. */
export function ticksOf(pid: number): number {
  const [, fields = ''] = /\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
  const [user, system] = fields.split(' ').slice(11, 13)
  return Number(user) + Number(system)
}

/**
 * All items with their numbers, in reverse every other round. So no item always follows the same other item, whose
 * work may go on.
 */
export function inTurn<T>(all: readonly T[], round: number): [number, T][] {
  const inOrder = [...all.entries()]
  return round % 2 === 0 ? inOrder : inOrder.toReversed()
}
