/**
 * iptables comes in two forms, over nf_tables and over the kernel's older tables. The kernel asks the rules of both about each
 * packet; each program lists its own alone. So a rule of the program that is not `iptables` here is seen by nobody.
 */
import { FileError } from '../../machine/errors.ts'
import type { Door } from '../../machine/machine.ts'
import { listRules, parseBlocks, type Block, type FirewallProgram } from './blocking-rule.ts'
import { COMMAND_MS, firewallSaid } from './firewall.ts'

/** The older tables that are in use, one a line. */
const IN_USE = { iptables: '/proc/net/ip_tables_names', ip6tables: '/proc/net/ip6_tables_names' } as const

/** The program of the other form, `iptables-legacy`, where it is installed and may have rules. */
export async function otherProgram(door: Door, program: FirewallProgram): Promise<string | undefined> {
  const { out } = await door.ask`${program} -V`
  const isNft = out.includes('nf_tables')
  // a look by the older program makes the tables that it looks for
  if (isNft && !(await hasFilter(door, IN_USE[program]))) return undefined
  const other = `${program}-${isNft ? 'legacy' : 'nft'}`
  return (await door.find(other)) ? other : undefined
}

async function hasFilter(door: Door, file: string): Promise<boolean> {
  try {
    return ((await door.read(file)) ?? '').split('\n').includes('filter')
  } catch (error) {
    if (error instanceof FileError) return false // for root alone
    throw error
  }
}

/** The rules for arriving packets in the tables of that program; a sentence when it cannot list them. */
export async function otherRules(
  door: Door,
  program: FirewallProgram,
  other: string,
): Promise<string[] | string> {
  const [, ...words] = listRules(program)
  const rules = await door.ask({ within: COMMAND_MS })`${[other, ...words]}`
  if (rules.status !== 0)
    return `whether a rule of ${other} blocks what arrives cannot be seen: ${firewallSaid(rules)}`
  return rules.out.split('\n').filter((line) => line.startsWith('-A '))
}

/** Those of them that block an address, of exactly our form; none where there is no such program. */
export async function otherBlocks(door: Door, program: FirewallProgram): Promise<readonly Block[] | string> {
  const other = await otherProgram(door, program)
  if (other === undefined) return []
  const rules = await otherRules(door, program, other)
  return typeof rules === 'string'
    ? rules
    : parseBlocks(rules.join('\n')).map((block) => ({ ...block, by: other }))
}
