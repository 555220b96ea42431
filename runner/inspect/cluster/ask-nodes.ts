/** One question to every node of the cluster, by CTDB's `onnode`. */
import { configuredNodes, nodeRows } from '../nodes.ts'
import { orReason } from '../../net/ctdb/daemon-view.ts'
import { interfaces } from '../../net/address/interfaces.ts'
import { why } from '../../net/answer.ts'
import { toShell } from '../../machine/argv.ts'
import { refuse } from '../../base/refusal.ts'
import type { Facts } from '../../node/facts.ts'
import type { Node } from '../../node/node.ts'

/** How this program is started: its words on this node, and the words of a shell on another one. */
export interface Self {
  here: readonly string[]
  there: string
}

/** A node, and its answer as `--json` prints it; or why there is none. */
export interface NodeAnswer {
  node: number
  /** Its private address. */
  address: string
  here: boolean
  answer?: unknown
  silent?: string
}

/** Seconds of the whole time that the way to a node and back may take. */
const WAY = 2

/**
 * Ask every node of the list of nodes, also those that CTDB does not reach, for the output of `eventscript WORDS --json`. Each has
 * the same time and is asked at once. Never rejects because of a node; throws a Refusal where there is no list of nodes.
 */
export async function askAllNodes(
  node: Node,
  { env }: Facts,
  self: Self,
  words: readonly string[],
  seconds: number,
): Promise<NodeAnswer[]> {
  const list = await configuredNodes(env, seconds)
  const own = new Set(
    (await interfaces(node)).flatMap(({ addresses }) => addresses.map((held) => held.address)),
  )
  const time = String(Math.max(1, Math.floor(seconds - WAY)))
  const question = [...words, '--json', '--timeout', time]
  return await Promise.all(
    nodeRows(list)
      .filter(({ deleted, address }) => !deleted && address !== undefined)
      .map(async ({ node: number, address = '' }) => {
        const here = own.has(address)
        const argv = here
          ? [...self.here, ...question]
          : ['onnode', '-p', '-q', String(number), `${self.there} ${toShell(question)}`]
        const answer = await orReason(ask(node, argv))
        const from = { node: number, address, here }
        return typeof answer === 'string' ? { ...from, silent: answer } : { ...from, answer: answer.value }
      }),
  )
}

/** The exit status says whether something is wrong there: JSON is an answer all the same. */
async function ask(node: Node, argv: readonly string[]): Promise<{ value: unknown }> {
  const said = await node.ask`${argv}`
  try {
    return { value: JSON.parse(said.out) as unknown }
  } catch {
    return refuse(said.status === 0 ? 'printed no JSON: is eventscript there older than here?' : why(said))
  }
}

/** The lines about nodes that are silent. */
export function silences(answers: readonly NodeAnswer[]): string[] {
  return answers.flatMap(({ node, address, silent }) =>
    silent === undefined
      ? []
      : [`node ${node} (${address}) is silent: ${silent}: what only it knows is not known from here`],
  )
}
