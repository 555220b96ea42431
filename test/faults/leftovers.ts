/** What must not be there when the faults have stopped and the events after them have succeeded. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import type { Process } from '../lab/processes.ts'
import { readOr } from '../lab/paths.ts'

/** The most helpers of the daemon, without wrappers: shells that stand ready, two of `ip`, a lock each, and those that send. */
const MOST_HELPERS = 16

/** Processes that hang or that nobody needs. `own` is the daemon, whose helpers stay. */
export function strays(lab: Lab, own: readonly number[]): string[] {
  const all = lab.processes().filter(({ command }) => command.trim() !== 'cat')
  const daemon = own[0] ?? 0
  const helpers = all.filter(({ pid }) => pid !== daemon && isBelow(pid, daemon))
  const bad = all.filter((each) => each.pid !== daemon && (!helpers.includes(each) || isStuck(each)))
  const programs = helpers.filter(({ command }) => !isWrapper(command))
  const many = programs.length > MOST_HELPERS ? programs : []
  return [...bad, ...many].map(({ pid, command }) => `process ${pid}: ${command.slice(0, 120)}`)
}

function isBelow(pid: number, ancestor: number): boolean {
  if (pid <= 1) return false
  const parent = Number(/^PPid:\t(\d+)/m.exec(readOr(`/proc/${pid}/status`))?.[1] ?? 0)
  return parent === ancestor || isBelow(parent, ancestor)
}

/** A wrapper stays as long as a helper that was to go wrong. */
function isWrapper(command: string): boolean {
  return /^\S*perl \/\S+\/bin\/\w/.test(command)
}

function isStuck({ pid, command }: Process): boolean {
  return command.startsWith('sleep ') || /^State:\tT/m.test(readOr(`/proc/${pid}/status`))
}

/** Temporary files, and drafts of files that were never finished. */
export function litter({ dir }: Lab): string[] {
  const drafts = ['var', 'eventscript', 'iproute2'].flatMap((folder) =>
    namesIn(join(dir, folder)).filter((name) => name.includes('.new.')),
  )
  return [...namesIn(join(dir, 'tmp')), ...drafts]
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}

/** The addresses that are parted from the rest by a rule of the routing policy. */
export async function ruled({ node }: Lab): Promise<string[]> {
  const text = (await node.must('ip', '-4', 'rule', 'show')) + (await node.must('ip', '-6', 'rule', 'show'))
  return [...text.matchAll(/^100:\s+from (\S+) /gm)].map(([, address = '']) => address).toSorted()
}

/** The list of hosted addresses. */
export function listed({ dir }: Lab): string[] {
  return readFileSync(join(dir, 'var/my-public-ip-addresses'), 'utf8').split('\n').filter(Boolean).toSorted()
}
