/** Programs of our own in place of the real ones, and folders for PATH that have few programs. */
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from './needs.ts'

/** What our script uses, all of it. */
export const ALL_PROGRAMS = ['ip', 'ss', 'iptables', 'ip6tables', 'flock', 'sh', 'arping', 'ndptool', 'ctdb']

/** A program of our own in the lab's `bin`, which comes first in PATH. `$real` is the real one. */
export function standIn(dir: string, program: string, shell: string): void {
  writeProgram(join(dir, 'bin', program), `real=${programPath(program)}\n${shell}`)
}

/** The real program again. */
export function noStandIn(dir: string, program: string): void {
  rmSync(join(dir, 'bin', program), { force: true })
}

/** A folder with these programs and no other, for PATH. */
export function folderWith(dir: string, programs: readonly string[]): string {
  const folder = mkdtempSync(join(dir, 'only-'))
  const own: Record<string, string> = { node: process.execPath, ctdb: join(dir, 'bin/ctdb') }
  for (const program of programs) {
    const path = own[program] ?? programPath(program)
    if (path) symlinkSync(path, join(folder, program))
  }
  return folder
}

/** The ctdb tool's stand-in: writes its words down, prints what the test has left for them, else succeeds silently. */
export function standInForCtdb(dir: string): void {
  writeProgram(
    join(dir, 'bin/ctdb'),
    `echo "$*" >>'${dir}/calls'
[ "$1" = -X ] && shift
case $1 in addtickle | deltickle | tickle) cat >>'${dir}/calls' ;; esac
says='${dir}/says/'$(echo "$*" | tr ' ' _)
if [ -e "$says.fails" ]; then cat "$says.fails" >&2; exit 1; fi
if [ -e "$says" ]; then cat "$says"
elif [ "$1" = gettickles ]; then echo '|Source IP|Port|Destiation IP|Port|'; fi`,
  )
}

/** A shell script that can be run. */
export function writeProgram(path: string, shell: string): void {
  writeFileSync(path, `#!/bin/sh\n${shell}\n`)
  chmodSync(path, 0o755)
}
