/** Every public address as all nodes of the cluster see it: who has it, and who should. Pure. */
import type { Column } from '../../format/table.ts'
import type { NodeAnswer } from './ask-nodes.ts'

/** One public address and the cluster. */
export interface OwnedRow {
  address: string
  /** Each different view of where the address is, by the nodes that have this view; -1: nowhere. */
  views: readonly { node: number; of: readonly number[] }[]
  /** The nodes whose kernel has the address, with the place. */
  owners: readonly { node: number; places: readonly string[] }[]
  /** The nodes on which the address is parked. */
  parked: readonly number[]
  state: OwnedState
}

/** From worst to best. */
export type OwnedState =
  | 'two-owners'
  | 'none'
  | 'stray'
  | 'disagree'
  | 'parked'
  | 'unassigned'
  | 'unknown'
  | 'held'

const COLOUR: Partial<Record<OwnedState, 'good' | 'bad' | 'warn'>> = {
  'two-owners': 'bad',
  none: 'bad',
  stray: 'bad',
  disagree: 'warn',
  parked: 'warn',
  unassigned: 'bad',
  unknown: 'warn',
  held: 'good',
}

export const OWNED_COLUMNS: readonly Column<OwnedRow>[] = [
  { name: 'Public IP', field: 'address', value: ({ address }) => address },
  { name: 'Node', field: 'node', value: ({ views }) => viewsText(views) },
  {
    name: 'Kernel',
    field: 'kernel',
    value: ({ owners }) => owners.flatMap(({ node, places }) => places.map((place) => `${node}:${place}`)),
  },
  { name: 'Parked', field: 'parked', value: ({ parked }) => parked.map(String), quiet: true },
  { name: 'State', field: 'state', value: ({ state }) => state, paint: ({ state }) => COLOUR[state] },
]

/** One view of all is the node's number; several name who has which. */
function viewsText(views: OwnedRow['views']): string | undefined {
  const [only, another] = views
  if (only === undefined) return undefined
  if (another === undefined) return String(only.node)
  return views.map(({ node, of }) => `${node} (says ${of.join(' and ')})`).join(', ')
}

/** What `eventscript ip --json` prints of an address, as far as it is needed here. */
interface Seen {
  address: string
  node?: number | null
  kernel?: readonly string[]
  parked?: boolean
}

/** The answer of each node to `ip`; an answer of another form is taken for silence. */
export function ownedRows(answers: readonly NodeAnswer[]): OwnedRow[] {
  const seen = answers.flatMap(({ node, answer }) => rowsIn(answer).map((row) => ({ ...row, by: node })))
  const isAnySilent = answers.some(({ answer }) => !Array.isArray(answer))
  return [...new Set(seen.map(({ address }) => address))].map((address) => {
    const here = seen.filter((each) => each.address === address)
    const numbers = [...new Set(here.flatMap(({ node }) => node ?? []))]
    const row = {
      address,
      views: numbers.map((node) => ({
        node,
        of: here.filter((each) => each.node === node).map(({ by }) => by),
      })),
      owners: here.flatMap(({ by, kernel = [], parked = false }) => {
        const places = parked ? kernel.filter((place) => !place.startsWith('lo/')) : kernel
        return places.length > 0 ? [{ node: by, places }] : []
      }),
      parked: here.flatMap(({ by, parked = false }) => (parked ? [by] : [])),
    }
    return { ...row, state: ownedState(row, isAnySilent) }
  })
}

function ownedState({ views, owners, parked }: Omit<OwnedRow, 'state'>, isAnySilent: boolean): OwnedState {
  const [owner, another] = owners
  if (owner && another) return 'two-owners'
  const [view] = views
  if (!owner) {
    if (parked.length > 0) return 'parked'
    if (isAnySilent || !view) return 'unknown'
    return view.node < 0 ? 'unassigned' : 'none'
  }
  if (views.length > 1) return 'disagree'
  if (view && view.node !== owner.node) return 'stray'
  return 'held'
}

function rowsIn(answer: unknown): Seen[] {
  if (!Array.isArray(answer)) return []
  return answer.filter((row): row is Seen => typeof (row as Partial<Seen> | null)?.address === 'string')
}
