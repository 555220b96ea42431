/**
 * What monitor puts back because another program has taken it away. `KEEPDIR/upkeep/HANDLER` counts that, and has the trouble
 * of which the log has heard: two lines.
 */
import type { Node } from '../node/node.ts'
import { Refusal, refusalOr } from '../base/refusal.ts'

export interface Tally {
  /** How many have been put back since the file was begun. */
  count: number
  /** Why something cannot be put back, in the words of the log; empty when all is well. */
  trouble: string
}

export interface Upkeep {
  handler: string
  /** What is looked after, such as `static routes`. */
  what: string
  /** Why something may be missing, in words. */
  causes: string
  /** Puts back what is missing, and gives a name for each; undefined where nothing is configured. */
  putBack: () => Promise<readonly string[] | undefined>
}

/**
 * Look, and put back: one WARNING names all. Never fails the event: what another program takes away here is soon away on the
 * next node, too. A trouble that lasts is said once.
 */
export async function keepUp(node: Node, { handler, what, causes, putBack }: Upkeep): Promise<void> {
  const done = await refusalOr(putBack)
  if (done === undefined) return
  const trouble = typeof done === 'string' ? done.replaceAll('\n', '; ') : ''
  const names = typeof done === 'string' ? [] : done
  const before = await readTally(node, handler)
  if (names.length > 0) node.say(`WARNING: ${what} put back: ${inShort(names)}: ${causes}`)
  if (trouble !== '' && trouble !== before?.trouble)
    node.say(`WARNING: ${what} may be missing, and cannot be put back: ${trouble}`)
  if (!before || (names.length === 0 && trouble === before.trouble)) return
  await writeTally(node, handler, { count: before.count + names.length, trouble })
}

/** Names in one line of the log. */
const MOST_NAMED = 5

function inShort(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const fileOf = ({ settings }: Node, handler: string) => `${settings.keepdir}/upkeep/${handler}`

/** No such file: nothing was ever put back. Undefined when the file cannot be read. */
export async function readTally(node: Node, handler: string): Promise<Tally | undefined> {
  try {
    const [count = '', trouble = ''] = ((await node.read(fileOf(node, handler))) ?? '').split('\n')
    return { count: /^\d{1,15}$/.test(count) ? Number(count) : 0, trouble }
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** A count that cannot be kept keeps nobody from work: the log has told of the repair. */
async function writeTally(node: Node, handler: string, { count, trouble }: Tally): Promise<void> {
  const refused = await refusalOr(() => node.write(fileOf(node, handler), `${count}\n${trouble}\n`))
  if (refused !== undefined) node.because(`the count of what was put back is not kept: ${refused}`)
}
