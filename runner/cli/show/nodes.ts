import { Usage } from '../../base/refusal.ts'
import { formatOf } from '../../format/table.ts'
import { askAllNodes, silences } from '../../inspect/cluster/ask-nodes.ts'
import { comparedLists } from '../../inspect/cluster/lists.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import { configuredNodes, namedNodes, NODE_COLUMNS, nodeRows, saidOf } from '../../inspect/nodes.ts'
import type { ListedNode } from '../../net/ctdb/nodes-file.ts'
import type { Command } from '../command.ts'
import { factsFor, SELF } from '../here.ts'
import { ALL_NODES, LISTING, TIMEOUT, timeoutOf } from '../options.ts'
import { complain, type Output } from '../output.ts'
import { printPartial, type AskingArgs } from './partial.ts'

type Args = AskingArgs & { file?: string; compare?: string; allNodes?: boolean }

export default {
  usage: 'nodes [file]',
  describe: 'the list of nodes: numbers, canonical addresses, faults',
  positionals: {
    file: {
      type: 'string',
      describe: "or '!COMMAND ARGS'; default: the list that ctdb.conf names, or nodes beside it",
    },
  },
  options: {
    ...LISTING,
    timeout: TIMEOUT,
    compare: {
      type: 'string',
      requiresArg: true,
      describe: "the file of another node, or '!COMMAND ARGS' that prints it",
    },
    'all-nodes': ALL_NODES,
  },
  async handler(args: Args, output) {
    formatOf(args)
    const { file, compare, allNodes } = args
    const limit = timeoutOf(args)
    if (allNodes && (file ?? compare) !== undefined)
      throw new Usage('--all-nodes asks each node for its list: give no FILE and no --compare with it')
    if (allNodes) return await allLists(output, args, limit)
    const [ours, theirs] = await Promise.all([
      file === undefined ? configuredNodes(factsFor().env, limit) : namedNodes(file, limit),
      compare === undefined ? undefined : namedNodes(compare, limit),
    ])
    const rows = nodeRows(ours, theirs)
    const lists = theirs === undefined ? [ours] : [ours, theirs]
    const trouble = [...lists.flatMap(({ problem }) => problem ?? []), ...troubleIn(ours.name, rows)]
    const status = printPartial(output, args, { columns: NODE_COLUMNS, rows }, trouble)
    lists.flatMap(saidOf).forEach(complain)
    return status
  },
} satisfies Command

async function allLists(output: Output, args: Args, limit: number): Promise<number> {
  const facts = factsFor()
  const answers = await askAllNodes(await nodeHere(facts, limit), facts, SELF, ['nodes'], limit)
  const rows = comparedLists(answers)
  const trouble = [...silences(answers), ...troubleIn('the lists of nodes', rows)]
  return printPartial(output, args, { columns: NODE_COLUMNS, rows }, trouble)
}

function troubleIn(name: string, rows: readonly ListedNode[]): string[] {
  const bad = rows.filter(({ problem, harmless }) => problem !== undefined && !harmless).length
  if (rows.length === 0) return [`${name}: no node in it: expected a private address a line`]
  if (bad === 0) return []
  return [
    `${name}: ${bad} of ${rows.length} nodes: see their Problem: the file must be good, and the same, on every node`,
  ]
}
