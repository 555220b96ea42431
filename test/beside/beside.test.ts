/**
 * Other programs that manage the network of a real node: what each command removes, when it is back, what is logged; and
 * what doctor finds. Compared with docs/beside.md, or written there: BESIDE=write. BESIDE=short: a part,
 * of one release. BESIDE_GROUPS=NAME: those groups alone whose name has that in it.
 */
import t, { type Test } from '../tap.ts'
import { whyNotBooted, type Booted } from '../lab/ctdb/booted.ts'
import { GROUPS } from './groups.ts'
import { UNTIL, type Command, type Group, type Shown } from './group.ts'
import { ALONE, besideMachine, MORE_PACKAGES } from './machine.ts'
import { tried, whole } from './row.ts'
import { cellsOf, comparable, documented, isSaid, write, type Cells } from './table.ts'
import { otherFindings, remedies } from './doctor.ts'

const form = process.env['BESIDE'] ?? 'long'
const isShort = form === 'short'
const RELEASES = process.env['RELEASES']?.split(',') ?? (isShort ? ['trixie'] : ['trixie', 'sid'])
/** Of a machine, and of its test. */
const SECONDS = isShort ? 400 : 1800

/** A part of the names of the groups that are tried: the rows of the others stay as they are. */
const only = process.env['BESIDE_GROUPS'] ?? ''
const isTried = ({ name, short }: Group) => name.includes(only) && (short ?? !isShort)

const VERSIONS = `dpkg-query -Wf '\${Package} \${Version}, ' systemd network-manager netplan.io firewalld ufw docker.io dhcpcd-base ctdb 2>/dev/null || true`

const why = whyNotBooted()
t.setTimeout(SECONDS * RELEASES.length * 1000)

for (const release of RELEASES)
  t.test(release, why === undefined ? {} : { skip: why }, async (t) => {
    const node = await besideMachine(release, SECONDS, isShort ? [] : MORE_PACKAGES)
    if ('why' in node) return t.plan(0, node.why)
    try {
      t.comment(await node.sh(VERSIONS))
      const rows: Cells[] = []
      for (const group of GROUPS.filter(isTried))
        await t.test(group.name, async (t) => void rows.push(...(await rowsOf(t, node, release, group))))
      if (form === 'write') await write(release, rows)
    } finally {
      await node.close()
    }
  })

async function rowsOf(t: Test, node: Booted, release: string, group: Group): Promise<Cells[]> {
  await node.sh(ALONE)
  await node.sh(group.setup)
  await whole(node)
  t.same(await otherFindings(node, group), [], 'doctor finds what it should')
  const rows: Cells[] = []
  for (const command of group.commands.filter(({ short }) => short ?? !isShort)) {
    const cells = await rowOf(node, group, command)
    t.comment(cells.join(' | '))
    if (form !== 'write') compare(t, release, cells)
    rows.push(cells)
  }
  for (const { says, lines, prints, after = '' } of shownBy(group, release)) {
    t.match(await node.sh(`${UNTIL}\n${lines}`), prints, says)
    t.ok(isSaid(says), `docs/beside.md says so: ${says}`)
    await whole(node, `${after}\n${group.repair ?? ''}`)
  }
  if (!group.isAdvice) await remedied(t, node)
  return rows
}

/** What the long form shows beside the table. */
function shownBy({ shows = [] }: Group, release: string): Shown[] {
  return isShort ? [] : shows.filter(({ of = release }) => of === release)
}

/** What doctor prints as remedies takes nothing away, and leaves it nothing to find. */
async function remedied(t: Test, node: Booted): Promise<void> {
  const pasted = await remedies(node)
  if (pasted.length === 0) return
  t.same((await tried(node, pasted.join('\n'))).removes, [], pasted.join('; '))
  t.same(await remedies(node), [], 'the remedies were pasted')
}

async function rowOf(node: Booted, group: Group, command: Command): Promise<Cells> {
  const { typed, run = typed, before, after = '' } = command
  if (before !== undefined) await node.sh(before)
  const outcome = await tried(node, run)
  await whole(node, `${after}\n${group.repair ?? ''}`)
  return cellsOf(group.name, typed, outcome)
}

function compare(t: Test, release: string, cells: Cells): void {
  const [program, command] = cells
  const there = documented(release).find(([first, second]) => first === program && second === command)
  t.same(comparable(cells), comparable(there ?? []), `docs/beside.md says so: ${program}: ${command}`)
}
