/** Our tables beside those of the ctdb tool, on one node of a real cluster: the columns that both have are alike. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from '../../tap.ts'
import type { Result } from '../host/namespace.ts'
import { eventually } from './nodes.ts'

export interface OnNode {
  /** `eventscript WORDS…` there. */
  ours: (...words: string[]) => Promise<Result>
  /** `ctdb WORDS…` there: what it prints. */
  ctdb: (...words: string[]) => Promise<string>
}

export type Row = Record<string, string>

const cells = (text: string) => text.split('\n').map((line) => line.split('|').slice(1, -1))

/** The rows of a table, each by its headings. */
export function table(text: string): Row[] {
  const [header = [], ...rows] = cells(text)
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])))
}

/**
 * A cluster that has just started still moves addresses about: every node says the same in `ctdb -X ip`, five times in as
 * many seconds.
 */
export async function settled(views: () => Promise<string[]>): Promise<boolean> {
  let [last, same] = ['', 0]
  return await eventually(async () => {
    const said = await views()
    const all = said.join('\n')
    same = all === last && new Set(said).size === 1 && !all.includes('|-1|') ? same + 1 : 0
    last = all
    await sleep(700)
    return same === 5
  }, 60)
}

/** Those columns of ours that theirs has. */
function likeThem(ours: Row[], theirs: Row[]): Row[] {
  const columns = Object.keys(theirs[0] ?? {})
  return ours.map((row) => Object.fromEntries(columns.map((name) => [name, row[name] ?? ''])))
}

/** `ip -X`, of which the rows are given back. */
export async function ipAsCtdb(t: Test, { ours, ctdb }: OnNode, addresses: number): Promise<Row[]> {
  const said = await ours('ip', '-X')
  t.match(said, { status: 0, err: '' })
  const rows = table(said.out)
  for (const words of [['ip'], ['-v', 'ip']]) {
    const theirs = table(await ctdb('-X', ...words))
    t.equal(theirs.length, addresses)
    t.same(likeThem(rows, theirs), theirs, Object.keys(theirs[0] ?? {}).join())
  }
  return rows
}

export async function ifacesAsCtdb(t: Test, { ours, ctdb }: OnNode): Promise<void> {
  const theirs = table(await ctdb('-X', 'ifaces'))
  const rows = table((await ours('ifaces', '-X')).out)
  t.equal(rows.length, 1)
  t.same(likeThem(rows, theirs), theirs)
  t.match(rows, [{ KernelLink: '1', State: 'ok' }])
}

/** `ctdb -X listnodes` has no headings: the number and the address of each node. */
export async function nodesAsCtdb(t: Test, { ours, ctdb }: OnNode): Promise<void> {
  const theirs = cells(await ctdb('-X', 'listnodes'))
  const said = await ours('nodes', '-X')
  t.match(said, { status: 0, err: '' })
  t.same(
    table(said.out).map(({ Node, IP }) => [Node, IP]),
    theirs,
  )
}

/** How many nodes there are, and how many are disabled: what `check` counts, and `ctdb -X nodestatus all` lists. */
export async function checkAsCtdb(t: Test, { ours, ctdb }: OnNode): Promise<void> {
  const theirs = table(await ctdb('-X', 'nodestatus', 'all'))
  const { status, out } = await ours('check')
  t.equal(status, 0, out)
  t.match(out, ` nodes=${theirs.length};`)
  const disabled = theirs.filter((row) => row['Disabled'] === '1').length
  t.match(out, ` nodes_disabled=${disabled};`)
}

/** `ctdb event script list legacy` marks what is enabled; `list` has those, in the same order. */
export async function scriptsAsCtdb(t: Test, { ours, ctdb }: OnNode): Promise<void> {
  const listed = await ctdb('event', 'script', 'list', 'legacy')
  const enabled = [...listed.matchAll(/^\* (\S+)/gm)].map(([, name = '']) => name)
  const rows = table((await ours('list', '-X', '--events', '/etc/ctdb/events/legacy')).out)
  t.ok(enabled.includes('10.interface'))
  t.same(
    rows.map(({ Handler }) => Handler),
    enabled,
  )
}

/** `status --socket` says what `ctdb event status` says, in its layout. */
export async function statusAsCtdb(t: Test, { ours, ctdb }: OnNode): Promise<void> {
  for (const event of ['startup', 'takeip', 'monitor']) {
    // monitor may run between the two
    const [before, said, after] = [
      await ctdb('event', 'status', 'legacy', event),
      await ours('status', '--socket', event),
      await ctdb('event', 'status', 'legacy', event),
    ]
    t.match(said, { status: 0, err: '' })
    t.match(said.out, /^10\.interface +OK/m)
    t.ok([before, after].includes(said.out), `${event}: ${said.out}`)
  }
}
