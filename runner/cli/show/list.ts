import { list, type Listed } from '../../engine/list.ts'
import type { Paints } from '../../format/colours.ts'
import type { Column, FormatOptions } from '../../format/table.ts'
import type { Command } from '../command.ts'
import { folderOf } from '../here.ts'
import { EVENTS, LISTING } from '../options.ts'
import { printListing } from '../output.ts'

const COLUMNS: readonly Column<Listed>[] = [
  { name: 'Handler', field: 'name', value: ({ name }) => name },
  { name: 'Kind', field: 'kind', value: ({ kind }) => kind },
  { name: 'About', field: 'about', value: ({ about }) => about },
  { name: 'Events', field: 'events', value: ({ events }) => events },
  { name: 'Path', field: 'path', value: ({ path }) => path },
]

export default {
  usage: 'list',
  describe: 'the handlers in the order in which they run',
  options: { ...LISTING, events: EVENTS },
  async handler(args: FormatOptions & { events?: string }, output) {
    const rows = await list(folderOf(args))
    const text = () => rows.map((row) => listedLine(output.paints, row))
    printListing(output, args, { columns: COLUMNS, rows, json: rows, text })
  },
} satisfies Command

function listedLine(paints: Paints, { name, kind, about, events }: Listed): string {
  const paint = { handler: 'good', script: 'good', disabled: 'dim', broken: 'bad' } as const
  const known = events.length > 0 ? paints.dim(` (${events.join(' ')})`) : ''
  return `${name.padEnd(20)} ${paints[paint[kind]](kind.padEnd(10))} ${about}${known}`
}
