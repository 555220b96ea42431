import { parseLinks, type Link } from '../../net/ip-json.ts'
import { deletionLine, type Placement } from '../../net/address/placement.ts'
import { batchFor, siblingsOf, type Line } from '../../net/address/siblings.ts'
import type { Answer } from '../../machine/machine.ts'

/** An address that goes by itself; the line is `ip`'s. */
export interface Deletion {
  kind: 'deletion'
  line: Line
  place: Placement
}

/** The batch of an event that deletes addresses with which the kernel takes others along, as it would do it by itself. */
export interface Guarded {
  kind: 'guarded'
  places: readonly Placement[]
}

/** What `ip` is asked to do: to show all addresses, to add or set something, or to delete. */
export type Task = { kind: 'look' } | { kind: 'change'; line: Line } | Deletion | Guarded

const SHOW: Line = ['addr', 'show']

/** Puts lines to `ip`, and gives back an answer for each; undefined when it is gone. */
type Ask = (lines: readonly Line[]) => Promise<Answer[] | undefined>

export interface Performed {
  /** In the order of the tasks. */
  answers: (Answer | undefined)[]
  /** What a look has shown, if there was one. */
  seen?: string
}

/** The tasks of a burst, by what they are. */
interface Sorted {
  tasks: readonly Task[]
  looks: readonly Line[]
  changes: readonly Line[]
  deletions: readonly Deletion[]
  guarded: readonly Guarded[]
}

/**
 * Tasks that came together: the changes, and after them a single look for all who look, as each of them wants the present state.
 * `seen` is what the last look showed.
 */
export async function performTasks(tasks: readonly Task[], ask: Ask, seen: string): Promise<Performed> {
  const sorted: Sorted = {
    tasks,
    looks: tasks.some(({ kind }) => kind === 'look') ? [SHOW] : [],
    changes: tasks.flatMap((task) => (task.kind === 'change' ? [task.line] : [])),
    deletions: tasks.filter((task) => task.kind === 'deletion'),
    guarded: tasks.filter((task) => task.kind === 'guarded'),
  }
  return sorted.guarded.length > 0 ? await performGuarded(sorted, ask) : await perform(sorted, ask, seen)
}

async function perform(sorted: Sorted, ask: Ask, seen: string): Promise<Performed> {
  const { tasks, looks, changes } = sorted
  const lines = [...changes, ...inGoodOrder(sorted.deletions, seen).map(({ line }) => line)]
  const results = await ask([...lines, ...looks])
  const look = looks.length > 0 ? ifShown(results?.at(-1)) : undefined
  const answers = new Map(lines.map((line, i) => [line, results?.[i]]))
  return { answers: tasks.map((task) => ('line' in task ? answers.get(task.line) : look)), seen: look?.out }
}

/**
 * Who is deleted in the same burst, or was since an event has looked, must not come back; who was added since must. So
 * what goes with all these deletions is found out by a look right before them: nothing of ours comes between.
 */
async function performGuarded(sorted: Sorted, ask: Ask): Promise<Performed> {
  const { tasks, looks, changes, guarded } = sorted
  const first = await ask([...changes, SHOW])
  const shown = first?.at(-1)?.out ?? ''
  if (first === undefined || shown === '') return { answers: tasks.map(() => undefined) }
  const wanted = guarded.flatMap(({ places }) => places.map(deletionOf))
  const deletions = inGoodOrder(unique([...sorted.deletions, ...wanted]), shown).map(({ line }) => line)
  const texts = new Set(wanted.map(({ line }) => textOf(line)))
  const siblings = siblingsOf(deletions, shown).filter(({ goesWith }) => texts.has(goesWith))
  const batch = batchFor(deletions, siblings)
  const second = await ask([...batch, ...looks])
  const answers = new Map<string, Answer | undefined>()
  changes.forEach((line, i) => answers.set(textOf(line), first[i]))
  batch.forEach((line, i) => answers.set(textOf(line), second?.[i]))
  const look = looks.length > 0 ? ifShown(second?.at(-1)) : undefined
  const ofGuarded = ({ places }: Guarded) => {
    const own = places.map((place) => textOf(deletionLine(place)))
    const back = siblings.filter(({ goesWith }) => own.includes(goesWith))
    return second && inOne([...own, ...back.map((each) => textOf(each.back))], answers)
  }
  const answerTo = (task: Task) =>
    task.kind === 'guarded' ? ofGuarded(task) : 'line' in task ? answers.get(textOf(task.line)) : look
  return { answers: tasks.map(answerTo), seen: look?.out }
}

/** The answer to a look; undefined where it shows nothing, as every node has `lo`: this `ip` has said something else. */
function ifShown(answer: Answer | undefined): Answer | undefined {
  return answer?.status === 0 && answer.out === '' ? undefined : answer
}

/** The answers to several lines as one, in which each that failed is named (`failedIn`). */
function inOne(lines: readonly string[], answers: ReadonlyMap<string, Answer | undefined>): Answer {
  const failed = lines.flatMap((line) => {
    const { status = 0, err = '' } = answers.get(line) ?? {}
    return status === 0 ? [] : [`${err}Command failed ${line}\n`]
  })
  return { status: failed.length === 0 ? 0 : 2, out: '', err: failed.join('') }
}

function deletionOf(place: Placement): Deletion {
  return { kind: 'deletion', line: deletionLine(place), place }
}

function unique(deletions: readonly Deletion[]): Deletion[] {
  return [...new Map(deletions.map((each) => [textOf(each.line), each])).values()]
}

function textOf(line: Line): string {
  return line.join(' ')
}

/**
 * Addresses that go together go from the last to the first: the first of its subnet is the primary one, and when that
 * goes the kernel promotes the next and sets up the others anew (1,000 of IPv4 take 7.8 s so, 0.06 s the other way).
 * All in a burst are of different events, and independent.
 */
export function inGoodOrder(deletions: readonly Deletion[], seen: string): Deletion[] {
  if (deletions.length < 2) return [...deletions]
  const order = new Map<string, number>()
  for (const { addresses } of linksOrNone(seen))
    for (const { address, bits } of addresses) order.set(`${address}/${bits}`, order.size)
  const positionOf = ({ place: { address, bits } }: Deletion) => order.get(`${address}/${bits}`) ?? -1
  return deletions.toSorted((a, b) => positionOf(b) - positionOf(a))
}

function linksOrNone(text: string): readonly Link[] {
  return text === '' ? [] : parseLinks(text)
}
