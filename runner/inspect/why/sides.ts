/** The sides of an address, in words: configured, believed by CTDB, in the kernel, on the wire. Pure. */
import { nodesText } from '../cluster/compare.ts'
import { ownedRows, type OwnedRow } from '../cluster/owners.ts'
import type { SeenAddress } from './evidence.ts'
import type { NodeView } from './views.ts'

/** Who has the address; undefined where no node knows it. */
export function ownedOf(address: string, views: readonly NodeView[]): OwnedRow | undefined {
  const answers = views.map(({ told, ...rest }) => ({
    ...rest,
    ...(told
      ? { answer: told.addresses.map((each) => ({ ...each, node: each.believed ?? null })) }
      : { silent: rest.silent ?? '' }),
  }))
  return ownedRows(answers).find((row) => row.address === address)
}

export const seenIn = (addresses: readonly SeenAddress[] | undefined, address: string) =>
  addresses?.find((each) => each.address === address)

export function configuredText(address: string, views: readonly NodeView[]): string {
  const lines = new Map<string, number[]>()
  for (const { node, told } of views) {
    if (!told) continue
    const line = told.unread ?? seenIn(told.addresses, address)?.listed ?? 'not listed'
    lines.set(line, [...(lines.get(line) ?? []), node])
  }
  return [...lines].map(([line, nodes]) => `${line} on ${nodesText(nodes)}`).join('; ') || 'no node says'
}

export function believedText(owned: OwnedRow | undefined): string {
  const views = owned?.views ?? []
  if (views.length === 0) return 'does not know it'
  return views
    .map(
      ({ node, of }) =>
        `${node < 0 ? 'no node' : `node ${node}`}${views.length > 1 ? ` (says ${nodesText(of)})` : ''}`,
    )
    .join('; ')
}

export const isBelieved = (owned: OwnedRow, node: number) => owned.views.some((view) => view.node === node)

export function kernelText(owned: OwnedRow | undefined): string {
  const owners = owned?.owners ?? []
  return (
    owners.map(({ node, places }) => `node ${node}: ${places.join(' and ')}`).join('; ') ||
    'on no node that was asked'
  )
}

export function wireText(views: readonly NodeView[]): string {
  const named = (mac: string) => {
    const view = views.find(({ told }) => told?.macs.includes(mac))
    return view ? `node ${view.node}` : `${mac}, no node's,`
  }
  const said = views.flatMap(({ node, told }) =>
    (told?.wire ?? []).map(({ iface, answer, unasked }) => {
      const seen =
        typeof answer === 'object'
          ? `${named(answer.mac)} answers`
          : answer === 'nobody'
            ? 'nobody else answers'
            : (unasked ?? 'cannot be asked')
      return `${iface} of node ${node}: ${seen}`
    }),
  )
  return said.join('; ') || 'nobody was asked'
}
