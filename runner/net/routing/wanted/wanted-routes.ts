/** The routes that are configured for public addresses. */
import type { Node } from '../../../node/node.ts'
import { refuse } from '../../../base/refusal.ts'
import { FileError } from '../../../machine/errors.ts'
import { networkOf, networkText } from '../../../inet/network.ts'
import { refuseProblems } from '../../address/public-addresses.ts'
import { parseRoutingFile, type RoutedAddress, type Route, type RoutingFile } from './routes-file.ts'
import type { Hosted } from './hosted.ts'
import { AUTO_LINK_LOCAL, type Routing } from '../names/options.ts'

/** The configured routes of all addresses; undefined for `__auto_link_local__`, which needs no file. */
async function readConf(node: Node, { conf }: Routing): Promise<RoutingFile | undefined> {
  if (conf === AUTO_LINK_LOCAL) return undefined
  const wanted = `error: CTDB_PER_IP_ROUTING_CONF=${conf} file`
  try {
    const text = await node.read(conf)
    return text === undefined
      ? refuse(`${wanted} not found: write it, or mend script.options`)
      : parseRoutingFile(text, conf)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return refuse(`${wanted} not readable: ${error.message}`)
  }
}

/** Refuse any bad line of the file: an admin should hear of it before a takeover needs the line. */
export async function checkConf(node: Node, routing: Routing): Promise<void> {
  const found = await readConf(node, routing)
  refuseProblems({ problems: (found?.bad ?? []).map(({ problem }) => problem) })
}

/**
 * The routes of these addresses. Bad lines for other addresses do not matter here. A line whose address cannot be read may
 * belong to any of them, and is refused.
 */
export async function wantedFor(
  node: Node,
  routing: Routing,
  hosted: readonly Hosted[],
): Promise<RoutedAddress[]> {
  if (hosted.length === 0) return []
  const found = await readConf(node, routing)
  const here = new Set(hosted.map(({ address }) => address))
  const bad = (found?.bad ?? []).filter(({ address }) => address === undefined || here.has(address))
  refuseProblems({ problems: bad.map(({ problem }) => problem) })
  return hosted.flatMap((each) => {
    const routes = found ? (found.routes.get(each.address) ?? []) : linkLocal(each)
    if (routes.length > 0) return [{ ...each, routes }]
    node.because(`${each.address} has no routes of its own: nothing is said of it in ${routing.conf}`)
    return []
  })
}

function linkLocal({ address, bits }: Hosted): Route[] {
  if (bits === undefined) return []
  const origin = `CTDB_PER_IP_ROUTING_CONF=${AUTO_LINK_LOCAL}`
  return [{ destination: networkText(networkOf(address, bits)), more: [], origin }]
}
