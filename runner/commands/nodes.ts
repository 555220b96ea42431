import { readFileSync } from 'node:fs'
import { compareNodes, parseNodes, type ListedNode } from '../net/nodes.ts'
import { FileError } from '../system/errors.ts'
import type { Column } from '../table.ts'

export const NODE_COLUMNS: readonly Column<ListedNode>[] = [
  { name: 'Node', field: 'node', value: ({ node }) => node },
  { name: 'IP', field: 'address', value: ({ address }) => address },
  { name: 'Deleted', field: 'deleted', value: ({ deleted }) => deleted },
  { name: 'Line', field: 'line', value: ({ line }) => (line > 0 ? line : undefined) },
  { name: 'Problem', field: 'problem', value: ({ problem }) => problem, paint: () => 'bad' },
]

/** The nodes file, beside that of another node where one is named. Throws a FileError when one cannot be read. */
export function nodeRows(file: string, compare?: string): ListedNode[] {
  const ours = parseNodes(read(file))
  return compare === undefined ? ours : compareNodes(ours, parseNodes(read(compare)), compare)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new FileError('read', file, (error as NodeJS.ErrnoException).code ?? String(error))
  }
}
