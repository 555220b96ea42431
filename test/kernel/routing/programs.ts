/** The programs that a handler starts. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../../lab/lab.ts'
import { readOr } from '../../lab/paths.ts'

/** The programs that one monitor starts. */
export async function programsOf(lab: Lab, name: string): Promise<string[]> {
  const file = join(lab.dir, 'etc/started')
  rmSync(file, { force: true })
  const programs = ['ip', 'flock', 'sh', 'perl', 'ss', 'iptables']
  for (const each of programs) lab.standIn(each, `echo ${each} >>"$CTDB_BASE/started"\nexec $real "$@"`)
  const asked = lab.ctdbCalls().length
  await lab.handler(name, 'monitor')
  for (const each of programs) lab.noStandIn(each)
  const ctdb = lab.ctdbCalls().slice(asked)
  return [...ctdb.map(() => 'ctdb'), ...readOr(file).split('\n').filter(Boolean)]
}
