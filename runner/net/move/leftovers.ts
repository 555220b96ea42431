import { PUBLIC_ADDRESSES } from '../../node/handler-names.ts'
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { toShell } from '../../machine/argv.ts'
import { Interrupted } from '../../machine/errors.ts'
import { blockingRule, listRules, programFor, type FirewallProgram } from '../clients/blocking-rule.ts'
import { blocksNow, ours } from '../clients/firewall.ts'
import type { Held } from '../ip-json.ts'
import { interfaces } from '../address/interfaces.ts'
import { deletionLine } from '../address/placement.ts'
import { dadRecord, keptIn } from '../sysctl/kept.ts'
import { isStill } from '../sysctl/record.ts'
import { releasableAddresses } from '../address/public-addresses.ts'
import { SHARED } from './shared-addresses.ts'
import { readNumber } from '../sysctl/sysctl.ts'

/** A trace of the cluster's addresses that should no longer be on this node, and the command that removes it. */
export interface Remain {
  text: string
  remedy: string
  /** Nobody could look: the command shows it. */
  unseen?: true
}

/** This node with the options of that handler. */
type NodeOf = (handler: string) => Promise<Node>

/**
 * All that is left: addresses, rules that block public ones, sysctls that were lowered for them. Each is looked at by
 * itself: a look that fails hides nothing else.
 */
export async function remainsOf(nodeOf: NodeOf): Promise<Remain[]> {
  const addresses = await addressesLeft(nodeOf)
  const rules = Promise.all([rulesLeft(nodeOf, 'iptables'), rulesLeft(nodeOf, 'ip6tables')])
  return [...addresses, ...(await rules).flat(), ...(await sysctlsLeft(nodeOf))]
}

/** The findings of one look; a look that failed or took too long is a finding as well. */
async function seen(what: string, remedy: string, look: () => Promise<Remain[]>): Promise<Remain[]> {
  try {
    return await look()
  } catch (error) {
    const isOver = error instanceof Error && error.name === 'TimeoutError'
    if (!(error instanceof Refusal || error instanceof Interrupted || isOver)) throw error
    return [{ text: `${what} cannot be seen: ${error.message}`, remedy, unseen: true }]
  }
}

async function addressesLeft(nodeOf: NodeOf): Promise<Remain[]> {
  const left: Remain[] = []
  for (const { handler, find } of SHARED)
    left.push(
      ...(await seen('what is left', 'ip addr', async () => {
        const node = await nodeOf(handler)
        const isMeant = await find(node)
        const held = isMeant ? (await interfaces(node)).flatMap((link) => link.addresses) : []
        return held.filter((each) => isMeant?.(each)).map(addressLeft)
      })),
    )
  return left
}

function addressLeft({ address, bits, iface }: Held): Remain {
  return {
    text: `${address}/${bits} is still on ${iface}`,
    remedy: toShell(['ip', ...deletionLine({ address, bits, iface })]),
  }
}

async function rulesLeft(nodeOf: NodeOf, program: FirewallProgram): Promise<Remain[]> {
  const list = toShell(listRules(program))
  return await seen(`whether a rule of ${program} still drops what arrives`, list, async () => {
    const node = await nodeOf(PUBLIC_ADDRESSES)
    const listed = await releasableAddresses(node)
    const addresses = [...(listed?.addresses ?? [])].filter((address) => programFor(address) === program)
    const rules = addresses.length > 0 ? await blocksNow(node, program) : []
    if (typeof rules === 'string') return [{ text: rules, remedy: list, unseen: true }]
    return (await ours(node, rules ?? [], addresses)).map((block) => ({
      text: `a rule still drops what arrives on ${block.iface} for ${block.address}`,
      remedy: toShell(blockingRule(block, '-D')),
    }))
  })
}

async function sysctlsLeft(nodeOf: NodeOf): Promise<Remain[]> {
  return await seen('whether sysctls are as they were', 'sysctl net.ipv6.conf', async () => {
    const node = await nodeOf(PUBLIC_ADDRESSES)
    const left: Remain[] = []
    for (const each of await keptIn(node, dadRecord(node))) {
      const now = await readNumber(node, each.path)
      if (now === undefined || !isStill(each, now) || now === each.original) continue
      left.push({
        text: `${each.path} is still ${now}, it was ${each.original}`,
        remedy: `echo ${each.original} >${each.path}`,
      })
    }
    return left
  })
}
