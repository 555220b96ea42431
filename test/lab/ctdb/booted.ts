/**
 * A chroot of release-root with its own systemd as process 1, in a container: no network but its own, and nothing that
 * is written in it stays. It ends with us, and after its time in any case.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa, execaSync, type ResultPromise } from 'execa'
import type { Result } from '../host/namespace.ts'
import { packagesFor } from '../../../runner/install/trust/packages.ts'
import { readOr, REPOSITORY } from '../paths.ts'
import { RELEASE_ROOT, rootOf, type Root } from './root.ts'

const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'bsdutils']
/** Where our package is in the container. */
export const OURS = '/usr/lib/eventscript'
/** What of it is needed; the modules are this repository's. */
const PARTS = ['dist/runner', 'dist/events.d', 'dist/announce.cjs', 'dist/ctdb-eventd', 'package.json']
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface Booted {
  run: (...argv: string[]) => Promise<Result>
  /** Lines for a shell of it; gives back what they print. Failing is a mistake of the test. */
  sh: (lines: string) => Promise<string>
  close: () => Promise<void>
}

/** Why none can be booted here; undefined when it can. */
export function whyNotBooted(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  if (execaSync('systemd-nspawn', ['--version'], { reject: false }).exitCode !== 0)
    return 'needs systemd-nspawn: apt-get install systemd-container'
  return execaSync(RELEASE_ROOT, ['--why'], { reject: false }).stdout || undefined
}

/** The chroot of that release with those packages as well, made where it is not there; or why it cannot be had. */
export async function rootWithSystemd(release: string, more: readonly string[] = []): Promise<Root> {
  return await rootOf(release, [...PACKAGES, ...more])
}

/** It is up when this resolves; `seconds` is all that it lives. */
export async function boot(root: string, seconds: number): Promise<Booted> {
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-booted-'))
  const ours = furnish(join(dir, 'ours'))
  const cgroup = ownCgroup(basename(dir))
  const container = execa('sh', ['-c', JOIN, cgroup, ...nspawn(root, ours, basename(dir), seconds)], {
    reject: false,
    stdin: 'ignore',
    all: true,
    env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1', SYSTEMD_LOG_LEVEL: 'warning' },
  })
  const close = async () => {
    container.kill('SIGKILL')
    await container
    await removeCgroup(basename(dir))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const init = await initOf(container)
    const run = enter(init)
    await untilUp(run)
    return { run, close, sh: (lines) => must(run, lines) }
  } catch (error) {
    await close()
    const { all } = await container
    throw new Error(`${String(error)}\n${all.slice(-2000)}`, { cause: error })
  }
}

/**
 * A container without a unit of its own shares its control groups with every other one that is started from the same
 * group: what is killed in one dies in all.
 */
function ownCgroup(name: string): string {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1]
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  if (mount === undefined || own === undefined)
    throw new Error('this machine has no control groups (cgroup2)')
  const path = join(mount, own, name)
  mkdirSync(path)
  return path
}

const JOIN = 'echo $$ >"$0/cgroup.procs"; exec setpriv --pdeathsig KILL "$@"'

/** It and all below it, as soon as the last process of them has gone; on a hybrid system also beside it. */
async function removeCgroup(name: string): Promise<void> {
  const find = (...act: string[]) =>
    execa('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${name}*`, ...act], {
      reject: false,
    })
  for (let tries = 0; tries < 50 && (await find()).stdout !== ''; tries += 1) {
    if (tries > 0) await sleep(100)
    await find('-exec', 'rmdir', '{}', ';')
  }
}

/** A copy that only root may write to, for any owner of this repository, with the packages that it loads. */
function furnish(ours: string): string {
  const packages = packagesFor(REPOSITORY).found.map((path) => relative(REPOSITORY, path))
  for (const part of [...PARTS, ...packages])
    cpSync(join(REPOSITORY, part), join(ours, part), { recursive: true })
  execaSync('chown', ['-R', '0:0', ours])
  execaSync('chmod', ['-R', 'go-w', ours])
  return ours
}

/** The system calls that runc makes for a container in here. */
const FOR_DOCKER = '--system-call-filter=@keyring --system-call-filter=bpf'

/** In numbers of processes of its own: so all of it ends with the first program of the line, also by a KILL. */
function nspawn(root: string, ours: string, name: string, seconds: number): string[] {
  const binds = [`--bind-ro=${ours}:${OURS}`]
  const limits = `unshare --pid --fork --kill-child --mount-proc timeout --signal=KILL ${seconds}`
  const options = `--quiet --register=no --keep-unit --private-network --capability=all --volatile=overlay --console=pipe ${FOR_DOCKER}`
  const command = `${limits} systemd-nspawn ${options} --boot --machine=${name}`
  return [...command.split(' '), ...binds, '--directory', root]
}

/** The container's process 1, as this machine numbers it. */
async function initOf(container: ResultPromise): Promise<number> {
  for (let tries = 0; tries < 300; tries += 1) {
    const init = descendants(container.pid ?? 0).find(isInit)
    if (init !== undefined) return init
    await sleep(100)
  }
  throw new Error('systemd-nspawn has started nothing')
}

function descendants(pid: number): number[] {
  const children = readOr(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** Number 1 in numbers of its own, inside those of the line that has started it. */
function isInit(pid: number): boolean {
  return /^NSpid:\t\d+\t\d+\t1$/m.test(readOr(`/proc/${pid}/status`))
}

function enter(init: number): Booted['run'] {
  // tap puts hooks of its own into every node program through NODE_OPTIONS
  const bare = ['env', '-i', `PATH=${PATH}`, 'LC_ALL=C']
  const words = ['-t', String(init), '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w', ...bare]
  return async (...argv) => {
    const { exitCode, stdout, stderr } = await execa('nsenter', [...words, ...argv], {
      reject: false,
      stdin: 'ignore',
    })
    return { status: exitCode ?? 255, out: stdout, err: stderr }
  }
}

/** `degraded` counts: what fails of a minimal Debian in a container is none of ours. */
async function untilUp(run: Booted['run']): Promise<void> {
  let seen: Result | undefined
  for (let tries = 0; tries < 120; tries += 1) {
    seen = await run('systemctl', 'is-system-running')
    if (/^(?:running|degraded)/.test(seen.out)) return
    await sleep(500)
  }
  throw new Error(`systemd did not come up: ${JSON.stringify(seen)}`)
}

async function must(run: Booted['run'], lines: string): Promise<string> {
  const { status, out, err } = await run('sh', '-ec', lines)
  if (status !== 0) throw new Error(`${lines}: ${err || `exit status ${status}`}`)
  return out
}
