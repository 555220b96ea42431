/** The LVS leader, the servers, the nodes file, and the plan for IPVS. These are decisions, without a machine. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import * as fc from 'fast-check'
import t from '../tap.ts'
import { parseServices, planServices } from '../../runner/net/lvs/ipvs.ts'
import { groupOf, parseMembers, type Member, type NodeStatus } from '../../runner/net/lvs/nodes.ts'

const HELPER = '/usr/libexec/ctdb/ctdb_lvs'
const FILE = '/etc/ctdb/lvs_nodes'

t.test('the nodes file holds members, follower-only nodes, comments and blank lines', (t) => {
  const text = '# the group\n10.1.0.1\n\n  10.1.0.2\tfollower-only  \n#10.1.0.3\n10.1.0.1\n'
  t.strictSame(parseMembers(text, FILE, '10.0.0.100'), {
    members: [
      { address: '10.1.0.1', followerOnly: false },
      { address: '10.1.0.2', followerOnly: true },
    ],
    problems: [],
  })
  const v6 = parseMembers('FD00:0::1\n', FILE, 'fd00::100')
  t.strictSame(v6.members, [{ address: 'fd00::1', followerOnly: false }])
  t.end()
})

t.test('a broken line of the nodes file is named with its number', (t) => {
  const problem = (line: string, ip = '10.0.0.100') =>
    parseMembers(`10.1.0.9\n${line}\n`, FILE, ip).problems.at(-1)
  const wrong: [string, string][] = [
    ['node2', '"node2" is no IP address: expected ADDRESS [follower-only]'],
    ['10.1.0.2 leader', '"leader" is no option: expected ADDRESS [follower-only]'],
    ['10.1.0.2 follower-only now', '"follower-only now" is no option: expected ADDRESS [follower-only]'],
    ['10.1.0.2/24', '"10.1.0.2/24" is no IP address: expected ADDRESS [follower-only]'],
    ['10.1.0.9 follower-only', '10.1.0.9 is there already, with another option: keep one of the two lines'],
    [
      'fd00::2',
      'another family than CTDB_LVS_PUBLIC_IP=10.0.0.100: the kernel hands packets on within one family only',
    ],
  ]
  for (const [line, expected] of wrong) t.equal(problem(line), `${FILE} line 2: "${line}": ${expected}`)
  t.match(
    problem('10.1.0.2', 'fd00::100'),
    /line 2: "10\.1\.0\.2": another family than CTDB_LVS_PUBLIC_IP=fd00::100/,
  )
  t.end()
})

const flag = fc.boolean()
const status = fc.record({ unknown: flag, disabled: flag, unhealthy: flag, inactive: flag })
const role = fc.constantFrom('leader', 'follower-only', 'absent')
const cluster = fc.array(fc.tuple(status, role), { minLength: 1, maxLength: 4 })

const addressOf = (n: number) => `10.1.0.${n + 1}`

function statusesOf(
  nodes: readonly (readonly [Omit<NodeStatus, 'number' | 'address' | 'self'>, string])[],
): NodeStatus[] {
  return nodes.map(([flags], n) => ({ ...flags, number: String(n), address: addressOf(n), self: n === 0 }))
}

t.test(
  'leader and servers are the nodes that CTDB names, whatever the state of the nodes',
  { skip: existsSync(HELPER) ? false : `${HELPER} not found: install ctdb` },
  async (t) => {
    const dir = t.testdir({})
    const ctdb = join(dir, 'ctdb')
    writeFileSync(ctdb, `#!/bin/sh\ncat '${dir}/status'\nexit 2\n`, { mode: 0o755 })
    const env = { CTDB: ctdb, CTDB_LVS_NODES: join(dir, 'nodes'), CTDB_BASE: '/etc/ctdb' }
    const ask = async (what: string) => (await execa(HELPER, [what], { env, reject: false })).stdout
    await fc.assert(
      fc.asyncProperty(cluster, async (nodes) => {
        const members = nodes.flatMap(([, as], n) =>
          as === 'absent' ? [] : [{ address: addressOf(n), followerOnly: as === 'follower-only' }],
        )
        const bit = (set: boolean) => (set ? 1 : 0)
        const statuses = statusesOf(nodes)
        const rows = statuses.map(
          (n) =>
            `|${n.number}|${n.address}|0|${bit(n.unknown)}|0|${bit(n.disabled)}|${bit(n.unhealthy)}|0|${bit(n.inactive)}|0|${n.self ? 'Y' : 'N'}|\n`,
        )
        writeFileSync(
          join(dir, 'status'),
          `|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n${rows.join('')}`,
        )
        const text = members.map((each) => `${each.address}${each.followerOnly ? ' follower-only' : ''}\n`)
        writeFileSync(join(dir, 'nodes'), text.join(''))
        const { leader, servers } = groupOf(members, statuses)
        const list = servers.map(({ number, address }) => `${number} ${address}`).join('\n')
        return (await ask('leader')) === (leader?.number ?? '') && (await ask('list')) === list
      }),
      { numRuns: 60 },
    )
    t.pass('60 clusters')
  },
)

t.test('without a usable node that may lead, no node leads and the others serve nobody', (t) => {
  const members: Member[] = [{ address: addressOf(0), followerOnly: true }]
  const ok = { unknown: false, disabled: false, unhealthy: false, inactive: false }
  const group = groupOf(members, statusesOf([[ok, '']]))
  t.equal(group.leader, undefined)
  t.equal(group.servers.length, 1)
  t.strictSame(groupOf(members, statusesOf([[{ ...ok, disabled: true }, '']])), {
    leader: undefined,
    servers: [],
  })
  t.end()
})

// printed by `ipvsadm -S -n` on Linux 6.1
const SAVED = `-A -t 10.0.0.100:0 -s lc -p 1999999
-a -t 10.0.0.100:0 -r 10.0.0.3:0 -g -w 1
-a -t 10.0.0.100:0 -r 127.0.0.1:0 -g -w 1
-A -t 10.0.0.100:8080 -s rr
-a -t 10.0.0.100:8080 -r 10.0.0.7:8080 -g -w 1
-A -u 10.0.0.100:0 -s lc -p 1999999
-A -t [fd00::100]:0 -s lc -p 1999999
-a -t [fd00::100]:0 -r [fd00::3]:0 -g -w 1
`

t.test('IPVS: only differences are changed, and services of single ports are left alone', (t) => {
  const now = parseServices(SAVED, '10.0.0.100')
  t.strictSame(planServices(now, '10.0.0.100', ['10.0.0.3', '127.0.0.1']), [
    '-a -u 10.0.0.100:0 -r 10.0.0.3:0 -g',
    '-a -u 10.0.0.100:0 -r 127.0.0.1:0 -g',
  ])
  t.strictSame(planServices(now, '10.0.0.100', ['10.0.0.4', '127.0.0.1']).slice(0, 2), [
    '-a -t 10.0.0.100:0 -r 10.0.0.4:0 -g',
    '-d -t 10.0.0.100:0 -r 10.0.0.3:0',
  ])
  t.strictSame(planServices(now, '10.0.0.100', undefined), ['-D -t 10.0.0.100:0', '-D -u 10.0.0.100:0'])
  t.strictSame(planServices(parseServices(SAVED, 'fd00::100'), 'fd00::100', ['fd00::3', '::1']), [
    '-a -t [fd00::100]:0 -r [::1]:0 -g',
    '-A -u [fd00::100]:0 -s lc -p 1999999',
    '-a -u [fd00::100]:0 -r [fd00::3]:0 -g',
    '-a -u [fd00::100]:0 -r [::1]:0 -g',
  ])
  t.strictSame(planServices(parseServices('', 'fd00::100'), 'fd00::100', undefined), [])
  t.end()
})
