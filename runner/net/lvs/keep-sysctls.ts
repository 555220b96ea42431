/** The sysctls of LVS, which another program has changed ("sysctl --system"), are set again at monitor. */
import type { Node } from '../../node/node.ts'
import { refuse } from '../../base/refusal.ts'
import { familyOf } from '../../inet/address.ts'
import { LVS_ADDRESS } from '../../node/handler-names.ts'
import { mustBePrivileged } from '../privilege.ts'
import { keptIn, lvsRecord, note } from '../sysctl/kept.ts'
import { readNumber, whyNotWritten } from '../sysctl/sysctl.ts'
import { keepUp } from '../upkeep.ts'
import { SILENT_SYSCTLS } from './address.ts'
import { lastLeader } from './last-leader.ts'
import { ownAddress } from './node-status.ts'
import type { Lvs } from './options.ts'

/** Set again what a node of the group needs. Files alone are read; nothing is looked at before the first ipreallocated. */
export async function keepLvsSysctls(node: Node, lvs: Lvs): Promise<void> {
  await keepUp(node, {
    handler: LVS_ADDRESS,
    what: 'sysctls of LVS',
    causes: 'another program has changed them ("sysctl --system"?): set them so in /etc/sysctl.d',
    putBack: () => putBack(node, lvs),
  })
}

async function putBack(node: Node, lvs: Lvs): Promise<string[] | undefined> {
  const wanted = await wantedNow(node, lvs)
  if (wanted.length === 0) return undefined
  const names: string[] = []
  for (const { path, value } of wanted) {
    const now = await readNumber(node, path)
    if (now === undefined || now === value) continue
    mustBePrivileged(node)
    await note(node, lvsRecord(node), { path, original: now, value })
    const reason = await whyNotWritten(node, path, `${value}\n`)
    if (reason !== undefined) refuse(`${path} is ${now}, and cannot be set to ${value}: ${reason}`)
    names.push(`${path} (${now}, expected ${value})`)
  }
  return names
}

/** What the role of this node needs; and what we have set, as the record says. */
async function wantedNow(node: Node, lvs: Lvs): Promise<{ path: string; value: number }[]> {
  if ((await lastLeader(node))?.publicIp !== lvs.publicIp || !(await isMember(node, lvs))) return []
  const silent = familyOf(lvs.publicIp) === 'inet' ? SILENT_SYSCTLS : []
  const set = await keptIn(node, lvsRecord(node))
  return [...silent, ...set.filter(({ path }) => !silent.some((each) => each.path === path))]
}

async function isMember(node: Node, { members }: Lvs): Promise<boolean> {
  const own = await ownAddress(node)
  return own === undefined || members.some(({ address }) => address === own)
}
