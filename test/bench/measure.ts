/** Run one process and say how long it took; end what it left behind. Runs inside the node's namespace. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from './contestants.ts'
import { countPrograms } from './strace.ts'

export interface Run {
  status: number | null
  output: string
  /** `performance.now()` at the start and when the process was gone. */
  began: number
  ended: number
}

/** The process itself, until it has exited; what it has started in the background is not waited for. */
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

/** How many programs it starts, or undefined without strace. Slow: never timed. */
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

/** The same for a process that is up already, while it does that work. */
export async function watched(pid: number, work: () => Promise<unknown>): Promise<number | undefined> {
  const log = `/run/bench.${process.pid}.strace`
  const strace = spawn('strace', [...CALLS, '-o', log, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const attached = await Promise.race([once(strace.stderr, 'data'), once(strace, 'exit')]).then(
    ([said]) => String(said).includes('attached'),
    () => false,
  )
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
 * End what runs in our network namespace and is not ours to keep: announcements that go on in the background
 * would disturb the next run.
 */
export async function endLeftovers(keep: readonly (number | undefined)[]): Promise<void> {
  const own = readlinkSync('/proc/self/ns/net')
  const kept = new Set([process.pid, ...keep])
  for (;;) {
    const left = readdirSync('/proc').filter(
      (pid) => /^\d+$/.test(pid) && !kept.has(Number(pid)) && isIn(own, pid),
    )
    if (left.length === 0) return
    for (const pid of left) kill(Number(pid))
    await sleep(5)
  }
}

function isIn(namespace: string, pid: string): boolean {
  try {
    // a zombie has no namespaces any more, a stranger's cannot be read
    return readlinkSync(`/proc/${pid}/ns/net`) === namespace
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone meanwhile
  }
}

/** Hears from the kernel when an address is no longer tentative. */
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

  /** When it ended for this address, as far as is known a moment after the event. */
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
