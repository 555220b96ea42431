/** What is wrong with an address: a host outside the cluster that has it, a fault on its node. Pure. */
import type { OwnedRow } from '../cluster/owners.ts'
import type { SeenFault } from './evidence.ts'
import { seenIn } from './sides.ts'
import type { NodeView } from './views.ts'

/** Whoever answers on the wire, or has made us park the address, and is no node. */
export function rivalOf(address: string, views: readonly NodeView[]) {
  const ours = new Set(views.flatMap(({ told }) => told?.macs ?? []))
  const answered = views.flatMap(({ node, told }) =>
    (told?.wire ?? []).flatMap(({ iface, answer }) =>
      typeof answer === 'object' ? [{ node, iface, mac: answer.mac }] : [],
    ),
  )
  const kept = views.flatMap(({ node, told }) => {
    const seen = seenIn(told?.addresses, address)
    return seen?.parked && seen.rival ? [{ node, iface: seen.ifaces[0] ?? '', mac: seen.rival }] : []
  })
  return [...answered, ...kept].find(({ mac }) => !ours.has(mac))
}

/** What the audit of the node that has the address, or should have it, says of it; errors first. */
export function faultOf(
  address: string,
  owned: OwnedRow | undefined,
  views: readonly NodeView[],
): (SeenFault & { node: number }) | undefined {
  const faults = views.flatMap(({ node, told }) => {
    const seen = seenIn(told?.addresses, address)
    const at = seen?.kernel.map((place) => place.split('/')[0]) ?? []
    const concerns = ({ subject, kind }: SeenFault) =>
      kind !== 'unassigned' && (subject.split(/[/ ]/)[0] === address || at.includes(subject))
    return (told?.faults ?? []).filter(concerns).map((fault) => ({ ...fault, node }))
  })
  const host = owned?.owners[0]?.node ?? owned?.views[0]?.node
  return (
    faults.find(({ node, state }) => node === host && state === 'error') ??
    faults.find(({ node }) => node === host)
  )
}
