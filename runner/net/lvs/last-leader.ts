/** The LVS address and its leader at the last event: the next event compares with them. */
import type { Node } from '../../node/node.ts'
import { tryWrite } from '../sysctl/sysctl.ts'
import type { Lvs } from './options.ts'
import type { Group } from './nodes.ts'

export interface LastLeader {
  publicIp: string
  /** The leader's number; `none` where no node could lead. */
  leader: string
}

const fileOf = (node: Node) => `${node.settings.vardir}/failover/lvs/leader_old`

/** Undefined before the first ipreallocated, and after a start of ctdbd, which empties the folder. */
export async function lastLeader(node: Node): Promise<LastLeader | undefined> {
  const [publicIp, leader] = ((await node.read(fileOf(node))) ?? '').trim().split(/\s+/)
  return publicIp && leader ? { publicIp, leader } : undefined
}

/** Keep the address and the leader for the next event. */
export async function rememberLeader(node: Node, { publicIp }: Lvs, { leader }: Group): Promise<void> {
  await keep(node, `${publicIp} ${leader?.number ?? 'none'}\n`)
}

/** This node has no part in LVS any more. */
export async function forgetLeader(node: Node): Promise<void> {
  await keep(node, '')
}

/** Written when it differs. A disk that fails is no reason to serve nobody: the next event ends more connections. */
async function keep(node: Node, text: string): Promise<void> {
  if (((await node.read(fileOf(node))) ?? '') === text) return
  if (!(await tryWrite(node, fileOf(node), text)))
    node.say(`WARNING: ${fileOf(node)} is not kept: connections end at every ipreallocated`)
}
