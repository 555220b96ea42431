import type { Node } from '../handler.ts'
import { toShell } from '../system/argv.ts'
import { blockingRule, blocksOf, programFor } from './firewall.ts'
import { interfaces } from './look.ts'
import { isStill, parseLowered } from './lowered.ts'
import { readPublicAddresses } from './public-addresses.ts'
import { readNumber } from './sysctl.ts'
import { recordOf } from './timers.ts'

/** Something of a public address that should no longer be on this node, and the command that removes it. */
export interface Remain {
  text: string
  remedy: string
}

/** What is left of the public addresses: themselves, rules that block them, sysctls that were lowered for them. */
export async function remainsOf(node: Node): Promise<Remain[]> {
  const listed = await readPublicAddresses(node)
  if (!listed) return []
  const addresses = [...listed.entries.map(({ address }) => address), ...listed.doubtful]
  return [
    ...(await addressesLeft(node, addresses)),
    ...(await rulesLeft(node, addresses)),
    ...(await sysctlsLeft(node)),
  ]
}

async function addressesLeft(node: Node, addresses: readonly string[]): Promise<Remain[]> {
  const held = (await interfaces(node)).flatMap((link) => link.addresses)
  return held
    .filter(({ address }) => addresses.includes(address))
    .map(({ address, bits, iface }) => ({
      text: `${address}/${bits} is still on ${iface}`,
      remedy: toShell(['ip', 'addr', 'del', `${address}/${bits}`, 'dev', iface]),
    }))
}

async function rulesLeft(node: Node, addresses: readonly string[]): Promise<Remain[]> {
  const left: Remain[] = []
  for (const program of new Set(addresses.map(programFor)))
    for (const block of await blocksOf(node, program, addresses))
      left.push({
        text: `a rule still drops what arrives on ${block.iface} for ${block.address}`,
        remedy: toShell(blockingRule(block, '-D')),
      })
  return left
}

async function sysctlsLeft(node: Node): Promise<Remain[]> {
  const left: Remain[] = []
  for (const each of parseLowered((await node.read(recordOf(node))) ?? '')) {
    const now = await readNumber(node, each.path)
    if (now === undefined || !isStill(each, now) || now === each.original) continue
    left.push({
      text: `${each.path} is still ${now}, it was ${each.original}`,
      remedy: `echo ${each.original} >${each.path}`,
    })
  }
  return left
}
