/** A real CTDB cluster in namespaces, by the program `cluster` beside this: what the tests and the bench do with it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { Namespace, type Result } from '../host/namespace.ts'
import { DIST, REPOSITORY, SCRIPT } from '../paths.ts'

const CLUSTER = join(REPOSITORY, 'test/lab/ctdb/cluster')

/** `cluster WORDS…`: what it prints. Throws what it complains of. */
export type Cluster = (...words: string[]) => Promise<string>

/** Our script, in CTDB's event daemon. */
export const OUR_SCRIPT: Record<string, string> = { SCRIPTS: `00.ctdb ${SCRIPT}` }
/** Our event daemon, with our script. */
export const OUR_DAEMON: Record<string, string> = { ...OUR_SCRIPT, EVENTD: join(DIST, 'ctdb-eventd') }

export function whyNoCluster(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  return existsSync('/usr/sbin/ctdbd') ? undefined : 'needs ctdbd: apt-get install ctdb'
}

/** `cluster WORDS…`, however it ends. `name` is a prefix for namespaces, at most 8 letters; each cluster needs its own. */
export function askIn(
  name: string,
  dir: string,
  more: Record<string, string>,
): (...words: string[]) => Promise<Result> {
  const env = { LAB_NAME: name, LAB_DIR: dir, ...more }
  return async (...words) => {
    // tap puts its loaders into NODE_OPTIONS of whatever is started: they must not come along into every event
    const argv = ['-u', 'NODE_OPTIONS', CLUSTER, ...words]
    const { stdout, stderr, exitCode } = await execa('env', argv, { env, reject: false })
    return { status: exitCode ?? 255, out: stdout, err: stderr }
  }
}

/** The same, each with its own folder: what a command prints. Throws when it fails. */
export function clusterIn(name: string, dir: string, more: Record<string, string>): Cluster {
  const ask = askIn(name, dir, more)
  return async (...words) => {
    const { status, out, err } = await ask(...words)
    if (status !== 0) throw new Error(`cluster ${words.join(' ')}: ${err || out}`)
    return out
  }
}

/**
 * The network of a host of that cluster, also when its daemon is gone: `0`, `1` …, or `rogue`. Its files are this
 * machine's.
 */
export function hostIn(name: string, host: string): Namespace {
  return new Namespace(['ip', 'netns', 'exec', `${name}${host}`])
}

/** The public addresses of the lab that the kernel of that node has. */
export async function held(cluster: Cluster, node: string): Promise<string[]> {
  const real = JSON.parse(await cluster('exec', node, 'ip', '-json', 'addr', 'show', 'dev', 'eth0')) as {
    addr_info: { local?: string }[]
  }[]
  const all = real.flatMap((link) => link.addr_info.map(({ local = '' }) => local))
  return all.filter((address) => /^(?:fd02::1:|10\.9\.[1-9])/.test(address)).toSorted()
}

/** KILL, from within: by the pid files of the node, which are where its CTDB says. */
export async function kill(cluster: Cluster, node: string, ...daemons: string[]): Promise<void> {
  const pids = daemons.map((daemon) => `$(cat $(/usr/libexec/ctdb/ctdb-path pidfile ${daemon}))`)
  await cluster('exec', node, 'sh', '-c', `kill -9 ${pids.join(' ')}`)
}

/** Does it come true within so many seconds? */
export async function eventually(holds: () => Promise<boolean>, seconds = 20): Promise<boolean> {
  for (let i = 0; i < seconds * 10; i += 1) {
    if (await holds().catch(() => false)) return true
    await sleep(100)
  }
  return false
}

export interface Failover {
  /** From `ctdb disable` until the last address is up elsewhere and not tentative. */
  seconds: number
  /** Until the first has left: so long CTDB itself takes to decide, before any script is asked. */
  began: number
  /** Addresses that the node had. */
  moved: number
  /** Addresses that are up elsewhere at the end. */
  hosted: number
}

export async function failover(cluster: Cluster, node: string): Promise<Failover> {
  const said = await cluster('failover', node)
  const number = (name: string) => Number(new RegExp(`${name}=([\\d.]+)`).exec(said)?.[1])
  return {
    seconds: number('seconds'),
    began: number('began'),
    moved: number('moved'),
    hosted: number('hosted'),
  }
}

/** The node takes its share again: when `share` addresses are on it. */
export async function failback(cluster: Cluster, node: string, share: number): Promise<boolean> {
  await cluster('ctdb', node, 'enable')
  return hasShare(cluster, node, share)
}

/** At the start, the others may have taken all before this node was healthy. */
export function hasShare(cluster: Cluster, node: string, share: number): Promise<boolean> {
  return eventually(async () => (await held(cluster, node)).length === share, 120)
}

export interface Trouble {
  timeouts: number
  bans: number
}

/** What the daemons of all nodes have logged so far: events that took too long, nodes that were banned. */
export function troubleIn(dir: string, nodes: number): Trouble {
  const files = Array.from({ length: nodes }, (_, i) =>
    ['out', 'log/log.ctdb'].map((name) => join(dir, `${i}`, name)),
  )
  const lines = files
    .flat()
    .flatMap((file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []))
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length
  return { timeouts: count(/ event timed out/), bans: count(/Banning node \d+ for/) }
}

/** The script.options of all nodes, from the next event on. */
export function options(dir: string, nodes: number, text: string): void {
  for (let i = 0; i < nodes; i += 1) writeFileSync(join(dir, `${i}`, 'etc/script.options'), text)
}
