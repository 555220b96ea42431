import type { Node } from '../../node/node.ts'
import { tryWrite, whyNotWritten } from './sysctl.ts'

/** What this node was told last, so that the next event sees what has changed. */
export interface Last {
  publicIp: string
  /** Its number; `none` where no node could lead. */
  leader: string
}

const lastFile = (node: Node) => `${node.settings.vardir}/failover/lvs/leader_old`
const sysctlFile = (node: Node) => `${node.settings.vardir}/failover/lvs/sysctls`

/** Undefined before the first ipreallocated, and after a start of ctdbd, which empties the folder. */
export async function lastTime(node: Node): Promise<Last | undefined> {
  const [publicIp, leader] = ((await node.read(lastFile(node))) ?? '').trim().split(/\s+/)
  return publicIp && leader ? { publicIp, leader } : undefined
}

/** Written when it differs. A disk that fails is no reason to serve nobody: the next event ends more connections. */
export async function remember(node: Node, last: Last | undefined): Promise<void> {
  const text = last ? `${last.publicIp} ${last.leader}\n` : ''
  if (((await node.read(lastFile(node))) ?? '') === text) return
  if (!(await tryWrite(node, lastFile(node), text)))
    node.say(`WARNING: ${lastFile(node)} is not kept: connections end at every ipreallocated`)
}

/** Set a sysctl of the machine, once, and keep in mind what it was before. */
export async function keepSysctl(node: Node, path: string, value: string): Promise<void> {
  const before = (await node.read(path))?.trim()
  if (before === undefined || before === value) return
  // before it is set: a run that is killed in between leaves a line, not a value that nobody knows
  await rememberSysctl(node, path, before, value)
  const reason = await whyNotWritten(node, path, `${value}\n`)
  if (reason) node.say(`WARNING: cannot set ${path} to ${value}: ${reason}`)
}

/** Keep in mind what a sysctl was before it was set to this value, unless that is known already. */
export async function rememberSysctl(node: Node, path: string, before: string, value: string): Promise<void> {
  const kept = (await node.read(sysctlFile(node))) ?? ''
  if (!kept.includes(`${path} `))
    await tryWrite(node, sysctlFile(node), `${kept}${path} ${before} ${value}\n`)
}

/**
 * Have each sysctl put back, by `putBack`, that is still as we have set it; what somebody else has set since is his.
 */
export async function restoreSysctls(
  node: Node,
  putBack: (path: string, before: string) => Promise<unknown>,
): Promise<void> {
  const kept = (await node.read(sysctlFile(node))) ?? ''
  if (kept === '') return
  for (const line of kept.split('\n')) {
    const [path, before, ours] = line.split(' ')
    if (!path || !before || !ours) continue
    if ((await node.read(path))?.trim() === ours) await putBack(path, before)
  }
  await tryWrite(node, sysctlFile(node), '')
}
