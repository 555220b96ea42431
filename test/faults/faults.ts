/** Programs of a lab that go wrong: what is planned, and what has happened (`wrapper.pl`). */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import { programPath } from '../lab/needs.ts'
import { readOr, REPOSITORY } from '../lab/paths.ts'
import { writeProgram } from '../lab/stand-ins.ts'
import type { Random } from './random.ts'

/** The kinds of faults, the more often the more of them. One that hangs costs an event's whole time. */
const KINDS = Object.entries({
  fails: 6,
  'fails-after': 6,
  killed: 6,
  'killed-after': 6,
  'killed-soon': 6,
  slow: 6,
  half: 6,
  garbage: 6,
  hangs: 1,
  'hangs-deaf': 1,
  'stops-soon': 1,
}).flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind))

/** Every program that we start, but node itself, and those that are stand-ins. */
const PROGRAMS = [
  'ip',
  'iptables',
  'ip6tables',
  'iptables-restore',
  'ip6tables-restore',
  'arping',
  'ndptool',
  'ndsend',
  'ndisc6',
  'flock',
  'perl',
  'sh',
  'setpriv',
  'ps',
  'find',
  'grep',
]
const STAND_INS = ['ctdb', 'ss', 'logger', 'ctdb_killtcp', 'ipvsadm']
/** All that can go wrong here. */
export const WRAPPED: ReadonlySet<string> = new Set([...PROGRAMS, ...STAND_INS])

/** An ss for which each address has a connection, so that what ends and wakes connections runs, too. */
const CONNECTED = `for word; do case $word in
\\[*:*\\]) echo "0 0 $word:4450 [fd00::fe]:1000" ;;
\\[*\\]) word=\${word#\\[}; echo "0 0 \${word%\\]}:4450 10.0.0.254:1000" ;;
esac; done`

/** Starts of programs for which faults are planned: more than any event needs. */
const STARTS = 60

export class Faults {
  readonly #dir: string

  /** From now on each program of the lab can go wrong, one of the daemon or of an event as well. */
  constructor({ dir, env }: Lab) {
    this.#dir = dir
    for (const folder of ['real', 'faults', 'libexec', 'tmp']) mkdirSync(join(dir, folder))
    for (const program of PROGRAMS) {
      const path = programPath(program)
      if (path) this.#wrap('bin', program, () => symlinkSync(path, join(dir, 'real', program)))
    }
    this.#wrap('bin', 'ctdb', (real) => renameSync(join(dir, 'bin/ctdb'), real))
    this.#wrap('bin', 'ss', (real) => writeProgram(real, CONNECTED))
    this.#wrap('bin', 'ipvsadm', (real) => symlinkSync(join(REPOSITORY, 'test/faults/ipvsadm.pl'), real))
    this.#wrap('bin', 'logger', (real) => writeProgram(real, 'exec cat >/dev/null'))
    this.#wrap('libexec', 'ctdb_killtcp', (real) => writeProgram(real, 'exec cat >/dev/null'))
    Object.assign(env, { CTDB_HELPER_BINDIR: join(dir, 'libexec'), TMPDIR: join(dir, 'tmp') })
    chmodSync(join(dir, 'tmp'), 0o777)
  }

  /** Each start that follows goes wrong with that probability. */
  plan(random: Random, probability: number): void {
    const lines = Array.from({ length: STARTS }, (_, i) =>
      random.chance(probability) ? [`${i + 1} ${random.pick(KINDS)}\n`] : [],
    ).flat()
    rmSync(this.#file('count'), { force: true })
    writeFileSync(this.#file('plan.new'), lines.join(''))
    renameSync(this.#file('plan.new'), this.#file('plan'))
  }

  /** Nothing goes wrong any more. What hangs already does so. */
  stop(): void {
    rmSync(this.#file('plan'), { force: true })
  }

  /** The faults so far, a line each: the number of the start, the kind, the command. */
  injected(): string[] {
    return readOr(this.#file('log')).split('\n').filter(Boolean)
  }

  #wrap(folder: string, program: string, makeReal: (path: string) => void): void {
    makeReal(join(this.#dir, 'real', program))
    symlinkSync(join(REPOSITORY, 'test/faults/wrapper.pl'), join(this.#dir, folder, program))
  }

  #file(name: string): string {
    return join(this.#dir, 'faults', name)
  }
}
