/**
 * The kernel lab: a kernel that has bonds, VLANs and IPVS, booted as an ordinary process (user-mode Linux) on this
 * machine's own files, which it can only read. No root. What runs inside is `test/uml/uml-init`.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { isExecutable } from '../lab/needs.ts'
import { readOr, REPOSITORY } from '../lab/paths.ts'

const KERNEL = '/usr/bin/linux.uml'
const INIT = join(REPOSITORY, 'test/uml/uml-init')
/** The guest's memory, a file of that size; it takes room only as far as it is used. */
const MEMORY = '1G'

/** Why there can be no such kernel on this machine, or undefined. */
export function whyNoUml(): string | undefined {
  if (process.arch !== 'x64') return `user-mode Linux runs on x86 only, this is ${process.arch}`
  if (!isExecutable(KERNEL)) return `${KERNEL} not found: install user-mode-linux`
  if (!['/sbin/modprobe', '/usr/sbin/modprobe'].some(isExecutable)) return 'modprobe not found: install kmod'
  return undefined
}

/** The files that the guest has left. */
export interface Guest {
  /** The folder with NAME.tap, NAME.err and NAME.status for each test file, and whatever else the files have put there. */
  out: string
  /** Did it come to its end within the time? */
  finished: boolean
  /** The end of what the kernel printed. */
  console: string
  close: () => void
}

/** Boot, run these compiled test files one after the other, halt. After so many seconds the guest is ended. */
export async function bootUml(files: readonly string[], seconds: number, env = {}): Promise<Guest> {
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-uml-'))
  const out = join(dir, 'out')
  mkdirSync(out)
  const variables = {
    OUT: out,
    PROJECT: REPOSITORY,
    NODE: process.execPath,
    FILES: files.join(','),
    ...env,
  }
  const words = [
    `mem=${MEMORY}`,
    'rootfstype=hostfs',
    'rootflags=/',
    'ro',
    `init=${INIT}`,
    `uml_dir=${dir}`,
    'con=null',
    'con0=null,fd:1',
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  ]
  // a group of its own: the guest's processes are processes here too, and end with it
  const child = execa(KERNEL, words, { stdin: 'ignore', all: true, reject: false, detached: true })
  const last = setTimeout(() => endGroup(child.pid), seconds * 1000)
  const onExit = () => endGroup(child.pid)
  process.once('exit', onExit)
  const { all } = await child
  clearTimeout(last)
  endGroup(child.pid)
  process.off('exit', onExit)
  return {
    out,
    finished: existsSync(join(out, 'finished')),
    console: all.split('\n').slice(-30).join('\n'),
    close: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** What is ours and still there. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: it has ended by itself
  }
}

/** What a file of the guest's says; empty when it has not come to that. */
export function left({ out }: Guest, file: string): string {
  return readOr(join(out, file))
}
