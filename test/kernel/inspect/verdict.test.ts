/** The last word of `audit`, `check` and `doctor`: not good where CTDB says that something is bad, or where they could not look. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FLAGS, type Flag } from '../../../runner/net/ctdb/daemon-view.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'

const COLUMNS = [...FLAGS, 'ThisNode']

/** What CTDB says of its nodes: the flags of each, of which the first is this one. */
function nodesAre(lab: Lab, ...nodes: Flag[][]): void {
  const rows = nodes.map((flags, i) => {
    const cells = FLAGS.map((flag) => (flags.includes(flag) ? '1' : '0'))
    return `|${[i, `10.1.0.${i + 1}`, ...cells, i === 0 ? 'Y' : 'N'].join('|')}|\n`
  })
  lab.ctdbSays('nodestatus all', `|Node|IP|${COLUMNS.join('|')}|\n${rows.join('')}`)
}

/** On which node CTDB believes 10.0.0.1; -1: none. */
function hostIs(lab: Lab, node: number): void {
  lab.ctdbSays(
    '-v ip all',
    `|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n|10.0.0.1|${node}|${node === 0 ? 'eth0' : ''}|eth0|eth0|\n`,
  )
}

function furnish(lab: Lab): void {
  lab.configure('nodes', '10.1.0.1\n10.1.0.2\n10.1.0.3\n')
  lab.configure('public_addresses', '10.0.0.1/24 eth0\n')
  lab.ctdbSays(
    'event status legacy monitor',
    '10.interface         OK         0.105 Mon Jan  1 00:00:00 2024\n',
  )
}

async function last(lab: Lab, ...words: string[]): Promise<[number, string]> {
  const { status, out } = await lab.eventscript(...words)
  return [status, out.trimEnd().split('\n').at(-1) ?? '']
}

const why = await prepareFile()
const needs = ['iptables', 'ip6tables', 'flock', 'ps']

if (!why) {
  inLab('all nodes are disabled, and nobody hosts the address', { needs }, async (t, lab) => {
    furnish(lab)
    hostIs(lab, -1)
    nodesAre(lab, ['Disabled'], ['Disabled'], ['Disabled'])
    const { status, out } = await lab.eventscript('audit')
    t.equal(status, 1)
    t.match(out, /^ERROR +node 0: DISABLED: .*: expected OK: "ctdb enable" there$/m)
    t.match(
      out,
      /^ERROR +10\.0\.0\.1: no node hosts it: .* no node can: 0 \(DISABLED\), 1 \(DISABLED\), 2 \(/m,
    )
    t.match(out, /\n2 wrong, 0 weak: 1 public addresses, 0 of them here\n?$/)
    t.match((await last(lab, 'check', '-t', '20'))[1], /^CTDB CRITICAL - 1 public address that no node hosts/)
    const doctor = await lab.eventscript('doctor')
    t.equal(doctor.status, 1)
    t.match(doctor.out, /^ERROR +node 0: DISABLED: .*\n +-> "ctdb enable"/m)
  })

  for (const flag of ['Banned', 'Unhealthy', 'Stopped'] as const)
    inLab(`this node is ${flag}, and its address is elsewhere as it should be`, { needs }, async (t, lab) => {
      furnish(lab)
      hostIs(lab, 1)
      nodesAre(lab, [flag], [], [])
      t.same(await last(lab, 'audit'), [1, '1 wrong, 0 weak: 1 public addresses, 0 of them here'])
      const doctor = await lab.eventscript('doctor')
      t.equal(doctor.status, 1)
      t.match(doctor.out, new RegExp(`^ERROR +node 0: ${flag.toUpperCase()}: `, 'm'))
      const [status, line] = await last(lab, 'check', '-t', '20')
      t.not(status, 0)
      t.match(line, `1 ${flag.toLowerCase()} node (node 0)`)
      nodesAre(lab, [], [], [])
      t.match(await last(lab, 'audit'), [
        0,
        /^nothing is wrong: 1 public addresses, 0 of them here; node 0 is OK/,
      ])
    })

  inLab('a list that cannot be read is no empty list', { needs }, async (t, lab) => {
    furnish(lab)
    hostIs(lab, 1)
    // nobody can read a folder as a file, not even root
    mkdirSync(join(lab.dir, 'eventscript/parked'), { recursive: true })
    const parked = await lab.eventscript('audit')
    t.equal(parked.status, 1)
    t.match(parked.err, /^eventscript: cannot read \S+\/parked: /)
    t.match(parked.out, /^10\.0\.0\.1 .* elsewhere *$/m, 'what is known is printed')
    t.match(parked.out, /\nnot all could be looked at, no fault in the rest: 1 public addresses/)
    t.match(await last(lab, 'check', '-t', '20'), [3, /^CTDB UNKNOWN - cannot read \S+\/parked: /])
    rmSync(join(lab.dir, 'etc/public_addresses'))
    mkdirSync(join(lab.dir, 'etc/public_addresses'))
    lab.ctdbSays('pnn.fails', 'connect() failed, errno=13\n')
    t.match(await last(lab, 'audit'), [
      1,
      'not all could be looked at, no fault in the rest: which public addresses there are is not known',
    ])
  })
}
