/** The commands that list what is seen of the cluster from this node: addresses, interfaces, nodes. */
import { ADDRESS_COLUMNS, addressRows } from '../inspect/addresses.ts'
import { INTERFACE_COLUMNS, interfaceRows } from '../inspect/interfaces.ts'
import { nodeHere } from '../inspect/node-here.ts'
import { configuredNodes, namedNodes, NODE_COLUMNS, nodeRows, saidOf } from '../inspect/nodes.ts'
import type { ListedNode } from '../net/ctdb/nodes-file.ts'
import { Usage } from '../base/refusal.ts'
import { formatOf, type FormatOptions } from '../format/table.ts'
import { LISTING, printListing, type Command, type Listed, type Screen } from './command.ts'

/** Seconds that a command which asks CTDB may take in all. */
export const LIMIT = {
  timeout: {
    type: 'string',
    alias: 't',
    requiresArg: true,
    default: '10',
    describe: 'seconds that the whole may take',
  },
} as const

export function limitOf({ timeout }: { timeout: string }): number {
  const value = Number(timeout)
  if (!/^\d+(\.\d+)?$/.test(timeout) || value <= 0 || value > 3600)
    throw new Usage(`--timeout ${timeout}: expected seconds, such as 10`)
  return value
}

type Args = FormatOptions & { timeout: string }

export function seenCommands(screen: Screen): Command[] {
  /** What is known is printed; what could not be had is said, and makes the exit status 1. */
  function show<Row>(args: FormatOptions, listed: Listed<Row>, trouble: readonly string[]): void {
    if (listed.rows.length > 0 || trouble.length === 0) printListing(screen, args, listed)
    for (const line of trouble) process.stderr.write(`eventscript: ${line}\n`)
    if (trouble.length > 0) process.exitCode = 1
  }

  return [
    {
      command: 'ip',
      describe: 'the public addresses: configured, believed by the daemon, real in the kernel',
      options: { ...LISTING, ...LIMIT },
      async handler(args: Args) {
        formatOf(args)
        const node = await nodeHere(screen.facts(), limitOf(args))
        const { rows, problems, silent } = await addressRows(node)
        const trouble = silent === undefined ? problems : [...problems, silent]
        show(args, { columns: ADDRESS_COLUMNS, rows }, trouble)
      },
    },
    {
      command: 'ifaces',
      describe: 'the interfaces of public addresses: their link as the daemon and the kernel have it',
      options: { ...LISTING, ...LIMIT },
      async handler(args: Args) {
        formatOf(args)
        const node = await nodeHere(screen.facts(), limitOf(args))
        const { rows, trouble } = await interfaceRows(node)
        show(args, { columns: INTERFACE_COLUMNS, rows }, trouble)
      },
    },
    {
      command: 'nodes [file]',
      describe: 'the list of nodes: numbers, canonical addresses, what is wrong with it',
      positionals: {
        file: {
          type: 'string',
          describe: "or '!COMMAND ARGS'; default: what ctdb.conf names, or nodes beside it",
        },
      },
      options: {
        ...LISTING,
        ...LIMIT,
        compare: {
          type: 'string',
          requiresArg: true,
          describe: "the file of another node, or '!COMMAND ARGS' that prints it",
        },
      },
      async handler(args: Args & { file?: string; compare?: string }) {
        formatOf(args)
        const { file, compare } = args
        const limit = limitOf(args)
        const [ours, theirs] = await Promise.all([
          file === undefined ? configuredNodes(screen.facts().env, limit) : namedNodes(file, limit),
          compare === undefined ? undefined : namedNodes(compare, limit),
        ])
        const rows = nodeRows(ours, theirs)
        const lists = theirs === undefined ? [ours] : [ours, theirs]
        show(args, { columns: NODE_COLUMNS, rows }, [
          ...lists.flatMap(({ problem }) => problem ?? []),
          ...troubleIn(ours.name, rows),
        ])
        for (const line of lists.flatMap(saidOf)) process.stderr.write(`eventscript: ${line}\n`)
      },
    },
  ]
}

function troubleIn(name: string, rows: readonly ListedNode[]): string[] {
  const bad = rows.filter(({ problem, harmless }) => problem !== undefined && !harmless).length
  if (rows.length === 0) return [`${name}: no node in it: expected a private address a line`]
  if (bad === 0) return []
  return [
    `${name}: ${bad} of ${rows.length} nodes: see their Problem: the file must be good, and the same, on every node`,
  ]
}
