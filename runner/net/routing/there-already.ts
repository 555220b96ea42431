/**
 * A route that the kernel refuses with "File exists": another event, or monitor, may have added the same route a moment ago. The kernel
 * is asked whether that route is the wanted one, as another route to the same destination is refused in the same words.
 */
import type { Node } from '../../node/node.ts'
import type { RoutingLine } from './plan/change.ts'

/** Those of the refused lines whose route is there as wanted. Nothing is asked where none was refused so. */
export async function thereAlready(
  node: Node,
  refused: readonly { line: RoutingLine; reason: string }[],
): Promise<ReadonlySet<RoutingLine>> {
  const doubtful = refused.filter(
    ({ line, reason }) => line.kind === 'route add' && /File exists/.test(reason),
  )
  const found = new Set<RoutingLine>()
  for (const { line } of doubtful) {
    const words = showing(line.text)
    if (words === undefined) continue
    const { status, out } = await node.ask`ip ${words}`
    if (status !== 0 || !out.includes('"dst"')) continue
    node.because(`"ip ${line.text}": the route is there already, as wanted`)
    found.add(line)
  }
  return found
}

/**
 * The words by which `ip` shows the route of such a line, and no other; undefined for a line of another form. In a table of ours the
 * route must have our mark. The kernel has refused the metric as well, so that is the same. Pure.
 */
export function showing(text: string): string[] | undefined {
  const [, to, via, dev, table, protocol] =
    /^route add (\S+)(?: via (\S+))? dev (\S+)(?: .*?)??(?: table (\S+))? proto (\S+)$/.exec(text) ?? []
  if (to === undefined || dev === undefined || protocol === undefined) return undefined
  const family = to.includes(':') ? '-6' : '-4'
  const gateway = via === undefined ? [] : ['via', via]
  const ours = table === undefined ? [] : ['table', table, 'proto', protocol]
  return ['-json', family, 'route', 'show', 'to', 'exact', to, ...gateway, 'dev', dev, ...ours]
}
