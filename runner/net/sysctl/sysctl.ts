import type { Door } from '../../machine/machine.ts'
import { refuse } from '../../base/refusal.ts'
import type { WriteOptions } from '../../machine/options.ts'
import { FileError } from '../../machine/errors.ts'
import type { Family } from '../../inet/address.ts'

/** Write a sysctl where the kernel lets us; says whether it did. */
export async function tryWrite(door: Door, path: string, text: string, how?: WriteOptions): Promise<boolean> {
  return (await whyNotWritten(door, path, text, how)) === undefined
}

/** The same; gives the reason of a failure. */
export async function whyNotWritten(
  door: Door,
  path: string,
  text: string,
  how?: WriteOptions,
): Promise<string | undefined> {
  try {
    await door.write(path, text, how)
    return undefined
  } catch (error) {
    if (error instanceof FileError) return error.message
    throw error
  }
}

/** A sysctl that holds a number; undefined where the kernel has none of that name. */
export async function readNumber(door: Door, path: string): Promise<number | undefined> {
  const text = await door.read(path)
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : undefined
}

/**
 * Answer ARP for an address only on the interface by which the answer leaves: with policy routing that is the address's
 * own. As CTDB has it, for all interfaces; left alone where the kernel has no such sysctl.
 */
export async function filterArp(door: Door): Promise<void> {
  const sysctl = '/proc/sys/net/ipv4/conf/all/arp_filter'
  if (((await door.read(sysctl)) ?? '1').trim() !== '1') await tryWrite(door, sysctl, '1\n')
}

/** Make the kernel forget routes that it remembers for the old place; a kernel that keeps none has no such file. */
export async function flushRouteCaches(door: Door): Promise<void> {
  await tryWrite(door, '/proc/sys/net/ipv4/route/flush', '1\n', { bell: true })
  await tryWrite(door, '/proc/sys/net/ipv6/route/flush', '1\n', { bell: true })
}

/**
 * The kernel promotes another address of a subnet when the first IPv4 address of that subnet goes, if this is 1 for `all` or
 * for the interface. If not, all addresses of the subnet go with the first.
 */
export function promoteSecondaries(iface: string): string {
  return `/proc/sys/net/ipv4/conf/${iface}/promote_secondaries`
}

/** Refuse, in CTDB's words, where the kernel can promote no other address. */
export async function mustPromote(door: Door): Promise<void> {
  if ((await door.read(promoteSecondaries('all'))) === undefined)
    refuse('Public IPs only supported if promote_secondaries is available: the kernel has no such sysctl')
}

/** With 1, an address can be bound that is not on this node. */
export function nonlocalBind(family: Family): string {
  return `/proc/sys/net/${family === 'inet6' ? 'ipv6' : 'ipv4'}/ip_nonlocal_bind`
}

/** The harm of a 1 there: CTDB 4.17 binds an address to see whether this node has it. */
export const NONLOCAL_BITES = 'ctdbd 4.17 takes every address for one that is here, so none is ever taken'
