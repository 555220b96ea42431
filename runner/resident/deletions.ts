import { parseLinks, type Link } from '../net/ip-json.ts'
import { batchFor, deletionsIn, siblingsOf, type Line } from '../net/address/siblings.ts'
import type { Answer } from '../machine/machine.ts'

/** What `ip` is asked: a line of its batch, which is a change or "addr show" of everything; or what `deleteGuarded` asks for. */
export type Task = Line | Guarded

/** The batch of an event that deletes addresses with which the kernel takes others along, as it would do it by itself. */
export interface Guarded {
  input: string
}

export const SHOW: Line = ['addr', 'show']

/** Puts lines to `ip`, and gives back an answer for each; undefined when it is gone. */
type Ask = (lines: readonly Line[]) => Promise<Answer[] | undefined>

export interface Carried {
  /** In the order of the tasks. */
  answers: (Answer | undefined)[]
  /** What a look has shown, if there was one. */
  seen?: string
}

/**
 * Tasks that came together: the changes, and behind them a single look for all who look, as whoever asks wants what is. `seen` is
 * what the last one showed.
 */
export async function carryOut(tasks: readonly Task[], ask: Ask, seen: string): Promise<Carried> {
  const lines = tasks.filter((task): task is Line => !isGuarded(task))
  const changes = lines.filter((line) => !isShow(line))
  const looks = changes.length < lines.length ? [SHOW] : []
  const guarded = tasks.filter(isGuarded)
  if (guarded.length > 0) return await carryOutGuarded({ tasks, guarded, changes, looks }, ask)
  const ordered = inGoodOrder(changes, seen)
  const results = await ask([...ordered, ...looks])
  const look = looks.length > 0 ? results?.at(-1) : undefined
  const answers = new Map<Task, Answer | undefined>(ordered.map((line, i) => [line, results?.[i]]))
  return { answers: tasks.map((task) => answers.get(task) ?? look), seen: look?.out }
}

interface Sorted {
  tasks: readonly Task[]
  guarded: readonly Guarded[]
  changes: readonly Line[]
  looks: readonly Line[]
}

/**
 * Who is deleted in the same burst, or was since an event has looked, must not come back; who was added since must. So
 * what goes with all these deletions is found out by a look right before them: nothing of ours comes between.
 */
async function carryOutGuarded({ tasks, guarded, changes, looks }: Sorted, ask: Ask): Promise<Carried> {
  const before = changes.filter((line) => !isDeletion(line))
  const first = await ask([...before, SHOW])
  const shown = first?.at(-1)?.out ?? ''
  if (first === undefined || shown === '') return { answers: tasks.map(() => undefined) }
  const wanted = guarded.flatMap(({ input }) => deletionsIn(input))
  const deletions = inGoodOrder(unique([...changes.filter(isDeletion), ...wanted]), shown)
  const texts = new Set(wanted.map(textOf))
  const siblings = siblingsOf(deletions, shown).filter(({ goesWith }) => texts.has(goesWith))
  const batch = batchFor(deletions, siblings)
  const second = await ask([...batch, ...looks])
  const answers = new Map<string, Answer | undefined>()
  before.forEach((line, i) => answers.set(textOf(line), first[i]))
  batch.forEach((line, i) => answers.set(textOf(line), second?.[i]))
  const look = looks.length > 0 ? second?.at(-1) : undefined
  const ofGuarded = ({ input }: Guarded) => {
    const own = deletionsIn(input).map(textOf)
    const back = siblings.filter(({ goesWith }) => own.includes(goesWith))
    return second && inOne([...own, ...back.map((each) => textOf(each.back))], answers)
  }
  return {
    answers: tasks.map((task) =>
      isGuarded(task) ? ofGuarded(task) : isShow(task) ? look : answers.get(textOf(task)),
    ),
    seen: look?.out,
  }
}

/** The answers to several lines as one, in which each that failed is named (`failedIn`). */
function inOne(lines: readonly string[], answers: ReadonlyMap<string, Answer | undefined>): Answer {
  const failed = lines.flatMap((line) => {
    const { status = 0, err = '' } = answers.get(line) ?? {}
    return status === 0 ? [] : [`${err}Command failed ${line}\n`]
  })
  return { status: failed.length === 0 ? 0 : 2, out: '', err: failed.join('') }
}

function unique(lines: readonly Line[]): Line[] {
  return [...new Map(lines.map((line) => [textOf(line), line])).values()]
}

function textOf(line: Line): string {
  return line.join(' ')
}

/**
 * Addresses that go together go from the last to the first: the first of its subnet is the primary one, and when that
 * goes the kernel promotes the next and sets up the others anew (1,000 of IPv4 take 7.8 s so, 0.06 s the other way).
 * All in a burst are of different events, and independent.
 */
export function inGoodOrder(changes: readonly Line[], seen: string): Line[] {
  const deletions = changes.filter(isDeletion)
  if (deletions.length < 2) return [...changes]
  const order = new Map<string, number>()
  for (const { addresses } of linksOrNone(seen))
    for (const { address, bits } of addresses) order.set(`${address}/${bits}`, order.size)
  const place = ([, , what = '']: Line) => order.get(what) ?? -1
  return [
    ...changes.filter((line) => !isDeletion(line)),
    ...deletions.toSorted((a, b) => place(b) - place(a)),
  ]
}

function isDeletion([object, verb]: Line): boolean {
  return object === 'addr' && verb === 'del'
}

function linksOrNone(text: string): readonly Link[] {
  return text === '' ? [] : parseLinks(text)
}

function isShow(line: Line): boolean {
  return textOf(line) === textOf(SHOW)
}

function isGuarded(task: Task): task is Guarded {
  return 'input' in task
}
