/**
 * Two hosts on one wire, without touching the machine's own network and without root: a node that runs the
 * handlers (eth0, eth1) and an observer whose bridge `lan` both of the node's interfaces are plugged into. Each is
 * a network namespace inside one user namespace; they go when this process does.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa, type ResultPromise } from 'execa'

export const DIST = fileURLToPath(new URL('../..', import.meta.url))
export const MAIN = join(DIST, 'runner/main.js')
export const SCRIPT = join(DIST, 'events.d/10.interface.script')

/** An ordinary user's PATH often lacks the folders where `ip` and `iptables` are. */
const PATH = [process.env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter)

export interface Result {
  status: number
  out: string
  err: string
}

export interface Host {
  /** The process whose namespaces these are. */
  pid: number
  /** Run a program there and give back what it said; an exit status other than 0 is data. */
  run: (...argv: string[]) => Promise<Result>
  /** The same, where anything but success is a mistake of the test itself. */
  must: (...argv: string[]) => Promise<string>
  /** Start a program there that goes on; `kill` it, or it ends with the lab. */
  start: (...argv: string[]) => ResultPromise
}

export interface Lab {
  node: Host
  observer: Host
  /**
   * A folder of its own: `etc` is CTDB_BASE, `var` is CTDB_SCRIPT_VARDIR, `bin` comes first in PATH, `iproute2` is the
   * node's /etc/iproute2.
   */
  dir: string
  env: Record<string, string>
  /** `eventscript …` on the node. */
  eventscript: (...words: string[]) => Promise<Result>
  /** `10.interface.script …` on the node, as ctdb-eventd calls it. */
  script: (...words: string[]) => Promise<Result>
  /** `NN.name.script …` on the node, as ctdb-eventd calls it. */
  handler: (name: string, ...words: string[]) => Promise<Result>
  /** What the stand-in for the ctdb tool was called with, a line each. */
  ctdbCalls: () => string[]
  /** What that stand-in prints for `ifaces`, `ip`, `pnn`, `gettickles ADDRESS`. */
  ctdbSays: (question: string, text: string) => void
  /** Write public_addresses, script.options … below CTDB_BASE. */
  configure: (file: string, text: string) => void
  /** One more host on the same wire, by its only interface `eth0`. */
  plugIn: (name: string) => Promise<Host>
  close: () => Promise<void>
}

/** Why there can be no lab on this machine, or undefined. */
export async function whyNoLab(): Promise<string | undefined> {
  const programs = ['unshare', 'nsenter', 'ip']
  for (const program of programs) {
    const found = PATH.split(delimiter).some((folder) => existsSync(join(folder, program)))
    if (!found) return `${program} is not installed`
  }
  const { failed, stderr } = await execa('unshare', ['-Urnm', 'true'], { reject: false, env: { PATH } })
  return failed ? `this machine forbids network namespaces: ${stderr.trim()}` : undefined
}

export interface LabOptions {
  /** Without a user namespace, which needs root: there the kernel keeps IPVS to the machine's own root. */
  asRoot?: boolean
}

export async function startLab({ asRoot = false }: LabOptions = {}): Promise<Lab> {
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-lab-'))
  for (const folder of ['etc', 'var', 'bin', 'says']) mkdirSync(join(dir, folder))
  const env: Record<string, string> = {
    PATH: `${join(dir, 'bin')}${delimiter}${PATH}`,
    CTDB_BASE: join(dir, 'etc'),
    CTDB_SCRIPT_VARDIR: join(dir, 'var'),
    CTDB: join(dir, 'bin/ctdb'),
    NO_COLOR: '1',
  }
  standInForCtdb(dir)
  const anchors: ResultPromise[] = []
  const spaces = asRoot ? '-nm' : '-Urnm'
  const user = asRoot ? [] : ['-U', '--preserve-credentials']
  const node = await host(['unshare', spaces, '--propagation', 'private', 'cat'], env, anchors, user)
  const inside = ['nsenter', '-t', String(node.pid), ...user, '-m']
  const observer = await host([...inside, 'unshare', '-n', 'cat'], env, anchors, user)
  await node.must('mount', '-t', 'tmpfs', 'tmpfs', '/run') // iptables keeps a lock there
  await ownTables(node, dir, env)
  await wire(node, observer)
  const lab: Lab = {
    node,
    observer,
    dir,
    env,
    eventscript: (...words) => node.run(process.execPath, MAIN, ...words),
    script: (...words) => node.run(SCRIPT, ...words),
    handler: (name, ...words) => node.run(join(DIST, `events.d/${name}.script`), ...words),
    ctdbCalls: () => readOr(join(dir, 'calls')).split('\n').filter(Boolean),
    ctdbSays: (question, text) => writeFileSync(join(dir, 'says', question.replaceAll(' ', '_')), text),
    configure: (file, text) => {
      mkdirSync(join(dir, 'etc', file, '..'), { recursive: true })
      writeFileSync(join(dir, 'etc', file), text)
    },
    async plugIn(name) {
      const guest = await host([...inside, 'unshare', '-n', 'cat'], env, anchors, user)
      await guest.must('ip', 'link', 'set', 'lo', 'up')
      await plug(guest, 'eth0', observer, `port-${name}`)
      return guest
    },
    async close() {
      for (const anchor of anchors.toReversed()) {
        anchor.stdin?.end()
        await anchor
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
  lab.ctdbSays('pnn', '0\n')
  lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|eth0|1|0|\n|eth1|1|0|\n')
  lab.configure('public_addresses', '10.0.0.1/24 eth0,eth1\nfd00::1/64 eth0,eth1\n')
  return lab
}

/** `cat` waits until our end of its input is closed, also when we are killed: nothing is left behind. */
async function host(
  anchor: string[],
  env: Record<string, string>,
  anchors: ResultPromise[],
  user: readonly string[],
): Promise<Host> {
  const [program = '', ...words] = anchor
  const child = execa(program, words, { stdin: 'pipe', reject: false, env, extendEnv: true })
  anchors.push(child)
  child.stdin?.write('ready\n')
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve)
    void child.then(({ stderr }) => reject(new Error(`${anchor.join(' ')}: ${stderr}`)))
  })
  const pid = child.pid ?? 0
  // tap puts hooks of its own into every node program through NODE_OPTIONS, and they cannot load a `.script`
  const bare = ['/usr/bin/env', '-u', 'NODE_OPTIONS'] // by its path: a test may leave little in PATH
  const enter = ['-t', String(pid), ...user, '-n', '-m', '--', ...bare]
  const start = (...argv: string[]) =>
    execa('nsenter', [...enter, ...argv], {
      reject: false,
      stdin: 'ignore',
      env,
      extendEnv: true,
      stripFinalNewline: false,
    })
  const run = async (...argv: string[]): Promise<Result> => {
    const { exitCode, stdout, stderr } = await start(...argv)
    return { status: exitCode ?? 255, out: stdout, err: stderr }
  }
  return {
    pid,
    run,
    start,
    async must(...argv) {
      const { status, out, err } = await run(...argv)
      if (status !== 0) throw new Error(`${argv.join(' ')}: ${err || `exit status ${status}`}`)
      return out
    },
  }
}

/** The node's /etc/iproute2 is a folder of the lab: the machine's own rt_tables must never be written to. */
async function ownTables(node: Host, dir: string, env: Record<string, string>): Promise<void> {
  mkdirSync(join(dir, 'iproute2'))
  if (existsSync('/etc/iproute2')) await node.must('mount', '--bind', join(dir, 'iproute2'), '/etc/iproute2')
  else env['CTDB_SYS_ETCDIR'] = dir // `ip` does not look there: it prints numbers for names
}

/** A file system that refuses to be written: after a disk error, or /proc/sys of a container. */
export async function makeReadOnly({ must }: Host, folder: string): Promise<void> {
  await must('mount', '--bind', folder, folder)
  await must('mount', '-o', 'remount,bind,ro', folder)
}

async function wire(node: Host, observer: Host): Promise<void> {
  await observer.must('ip', 'link', 'add', 'lan', 'type', 'bridge')
  await observer.must('ip', 'link', 'set', 'lan', 'up')
  await observer.must('ip', 'link', 'set', 'lo', 'up')
  await node.must('ip', 'link', 'set', 'lo', 'up')
  for (const name of ['eth0', 'eth1']) await plug(node, name, observer, `port-${name}`)
  await observer.must('ip', 'addr', 'add', '10.0.0.254/24', 'dev', 'lan')
  await observer.must('ip', 'addr', 'add', 'fd00::fe/64', 'dev', 'lan', 'nodad')
}

/** A cable from that host's interface to a port of the observer's bridge. */
async function plug(from: Host, iface: string, observer: Host, port: string): Promise<void> {
  const end = ['peer', 'name', port, 'netns', String(observer.pid)]
  await from.must('ip', 'link', 'add', iface, 'type', 'veth', ...end)
  await observer.must('ip', 'link', 'set', port, 'master', 'lan', 'up')
  await from.must('ip', 'link', 'set', iface, 'up')
}

/** Writes its words down and prints what the test has told it to; without that it succeeds silently. */
function standInForCtdb(dir: string): void {
  const program = join(dir, 'bin/ctdb')
  const text = `#!/bin/sh
echo "$*" >>'${dir}/calls'
[ "$1" = -X ] && shift
case $1 in addtickle | deltickle | tickle) cat >>'${dir}/calls' ;; esac
says='${dir}/says/'$(echo "$*" | tr ' ' _)
if [ -e "$says.fails" ]; then cat "$says.fails" >&2; exit 1; fi
if [ -e "$says" ]; then cat "$says"
elif [ "$1" = gettickles ]; then echo '|Source IP|Port|Destiation IP|Port|'; fi
`
  writeFileSync(program, text)
  chmodSync(program, 0o755)
}

function readOr(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
