/** Could that node host an address; and if not, why? Pure. */
import { enumerated } from '../../format/names.ts'
import { flagWords, meaningsOf } from '../node-flags.ts'
import { causesOf } from './node.ts'
import { seenIn } from './sides.ts'
import type { NodeView } from './views.ts'

export const COULD = 'could host it'

/** Why that node does not host the address, where there is a reason. */
export function couldHost(address: string, view: NodeView): string {
  const { told, silent } = view
  const bad = { flags: view.flags ?? [] }
  const flags = meaningsOf(bad).some(({ state }) => state === 'error') ? [flagWords(bad)] : []
  if (!told) return [...flags, `silent: ${silent}`].join(', ')
  const seen = seenIn(told.addresses, address)
  const scripts = causesOf(view).slice(0, 1)
  const reasons = [
    ...(flags.length > 0 ? [`${flags.join(', ')}${scripts[0] ? `: ${scripts[0].text}` : ''}`] : []),
    ...(told.unread === undefined ? [] : [told.unread]),
    ...(told.unread === undefined && seen?.listed === undefined ? ['not in its public_addresses'] : []),
    ...linkReason(told.links, seen?.ifaces ?? []),
    ...(seen?.parked ? [`parked: ${seen.rival ?? 'another host'} has it`] : []),
  ]
  if (reasons.length > 0) return [...new Set(reasons)].join(', ')
  return seen?.kernel.length ? `hosts it: ${seen.kernel.join(' and ')}` : COULD
}

/** Only where no interface of the address has a link. */
function linkReason(links: readonly { name: string; link?: boolean }[], ifaces: readonly string[]): string[] {
  const down = ifaces.filter((name) => links.find((each) => each.name === name)?.link !== true)
  return ifaces.length > 0 && down.length === ifaces.length ? [`${enumerated(down)}: no link`] : []
}
