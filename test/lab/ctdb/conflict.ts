/** What a host outside makes of a cluster when it holds public addresses: who has them, where they are parked, bans. */
import { held, troubleIn, type Cluster } from './nodes.ts'

/** The public addresses that these nodes have. */
export const heldOn = async (cluster: Cluster, ...nodes: string[]): Promise<string[]> =>
  (await Promise.all(nodes.map((node) => held(cluster, node)))).flat().toSorted()

/** The addresses that are parked on these nodes. */
export async function parkedOn(cluster: Cluster, ...nodes: string[]): Promise<string[]> {
  const all = await Promise.all(
    nodes.map((node) => cluster('exec', node, 'ip', '-json', 'addr', 'show', 'dev', 'lo')),
  )
  return all
    .flatMap((text) => JSON.parse(text) as { addr_info: { local?: string; deprecated?: boolean }[] }[])
    .flatMap((link) => link.addr_info.filter(({ deprecated }) => deprecated).map(({ local = '' }) => local))
    .toSorted()
}

/** Nobody banned, by the daemons' own word, and in the log. */
export async function nobodyBanned(cluster: Cluster, dir: string, nodes: number): Promise<boolean> {
  const rows = (await cluster('ctdb', '0', '-X', 'nodestatus', 'all').catch((error: Error) => error.message))
    .split('\n')
    .filter((line) => /^\|\d/.test(line))
  // |Node|IP|Disconnected|Unknown|Banned|…
  return rows.every((row) => row.split('|')[5] === '0') && troubleIn(dir, nodes).bans === 0
}
