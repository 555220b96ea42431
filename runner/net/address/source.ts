/**
 * EVENTSCRIPT_IPV6_SOURCE: may an IPv6 public address be the source of the node's own connections? The kernel prefers the address
 * that was added last, and such connections end when the address moves.
 */
import { familyOf } from '../../inet/address.ts'
import type { Settings } from '../../node/settings.ts'
import type { Held } from '../ip-json.ts'

interface With {
  settings: Pick<Settings, 'option'>
}

/** No source: with `preferred_lft 0` the kernel chooses the address only where it has no other. */
export function isSource({ settings }: With, address: string): boolean {
  return familyOf(address) === 'inet' || settings.option('EVENTSCRIPT_IPV6_SOURCE').of(address) === 'yes'
}

/** The words for `ip addr add`. */
export function sourceWords(node: With, address: string): string[] {
  return isSource(node, address) ? [] : ['preferred_lft', '0']
}

/** Is an address that is here otherwise than the option says? Without the option nobody has said anything. */
export function isOtherwise({ settings }: With, { address, deprecated = false }: Held): boolean {
  const isSet = familyOf(address) === 'inet6' && settings.option('EVENTSCRIPT_IPV6_SOURCE').isSet
  return isSet && deprecated === isSource({ settings }, address)
}
