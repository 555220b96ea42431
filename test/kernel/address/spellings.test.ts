/** One address, written in ten ways, is one address: in files, arguments, what ctdb prints, and what we list. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../../tap.ts'
import { canonical } from '../../../runner/inet/address.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'

const skip = await prepareFile()

const SPELLINGS = [
  {
    family: 'IPv4',
    address: '10.0.0.1',
    bits: '24',
    ways: [
      '10.0.0.1',
      '::ffff:A00:1',
      '::ffff:10.0.0.1',
      '::FFFF:10.0.0.1',
      '[::ffff:10.0.0.1]',
      '::ffff:a00:1',
      '::ffff:0A00:0001',
      '0:0:0:0:0:ffff:10.0.0.1',
      '0000:0000:0000:0000:0000:ffff:0a00:0001',
      '[0::ffff:a00:0001]',
    ],
  },
  {
    family: 'IPv6',
    address: 'fd00::1',
    bits: '64',
    ways: [
      'fd00::1',
      'FD00::1',
      'Fd00::0001',
      'fd00:0:0:0:0:0:0:1',
      'fd00:0000:0000:0000:0000:0000:0000:0001',
      '[fd00::1]',
      '[FD00:0::0:1]',
      'fd00:0:0::1',
      'fd00::0.0.0.1',
      'fd00:0:0:0:0:0:0.0.0.1',
    ],
  },
] as const

const HEAD = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|'

t.test('ten spellings of each family have one canonical form, that of RFC 5952', (t) => {
  for (const { address, ways } of SPELLINGS) {
    t.equal(new Set(ways).size, 10)
    for (const way of ways) t.equal(canonical(way), address, way)
  }
  const others = [
    'fe80::1%eth0',
    // brackets stand around IPv6 alone, as for ctdbd
    '[10.0.0.1]',
    '10.0.0.01',
    '10.0.0.1/24',
    '10.0.1',
    'fd00::1::',
    'fd00:1',
    '[fd00::1',
    '',
    '::g',
  ]
  for (const text of others) t.equal(canonical(text), undefined, text)
  // 4.2.3: the longest run of zeros is compressed, of equal ones the first, and never a single one
  t.equal(canonical('2001:db8:0:0:1:0:0:1'), '2001:db8::1:0:0:1')
  t.equal(canonical('2001:db8:0:1:1:1:1:1'), '2001:db8:0:1:1:1:1:1')
  t.equal(canonical('2001:0:0:1:0:0:0:1'), '2001:0:0:1::1')
  t.end()
})

for (const { family, address, bits, ways } of SPELLINGS)
  inLab(
    `${family}: taken in one spelling, listed in another, released in a third: always one address`,
    { needs: ['iptables', 'ip6tables'], ...(skip ? { skip } : {}) },
    async (t, lab) => {
      const list = join(lab.dir, 'var/my-public-ip-addresses')
      for (const [i, way] of ways.entries()) {
        const [second = '', third = '', fourth = ''] = [1, 2, 3].map((more) => ways[(i + more) % 10])
        lab.configure('public_addresses', `${way}/${bits} eth0,eth1\n`)
        lab.configure('nodes', `${second}\n`)
        writeFileSync(list, `${third}\n`)
        t.match(await lab.script('takeip', 'eth0', second, bits), { status: 0 }, way)
        t.same(await lab.node.places(address), [`eth0/${bits}`])
        t.equal(readFileSync(list, 'utf8'), `${address}\n`, 'in the list once, as its canonical form')

        lab.ctdbSays('-v ip', `${HEAD}\n|${fourth}|0|eth0|eth0,eth1|eth0,eth1|\n`)
        const ip = await lab.eventscript('ip', '-X')
        t.match(ip, { status: 0, err: '' })
        const row = `|${address}|0|eth0|eth0,eth1|eth0,eth1|${bits}|eth0,eth1|eth0/${bits}|0|here|`
        t.same(ip.out.split('\n').slice(1), [row, ''], 'one row')
        t.match((await lab.eventscript('nodes', '-X')).out, `|0|${address}|0|1||`)

        t.match(await lab.script('releaseip', 'eth0', third, bits), { status: 0 })
        t.same(await lab.node.places(address), [])
        t.equal(readFileSync(list, 'utf8'), '')
      }
    },
  )

inLab('an address with a zone is refused wherever it is written', skip ? { skip } : {}, async (t, lab) => {
  const zoned = 'fe80::1%eth0'
  t.match(await lab.script('takeip', 'eth0', zoned, '64'), { status: 1 })
  lab.configure('public_addresses', `${zoned}/64 eth0\n`)
  lab.configure('nodes', `${zoned}\n`)
  lab.ctdbSays('-v ip', `${HEAD}\n|${zoned}|0|eth0|eth0|eth0|\n`)
  t.match(await lab.eventscript('ip'), {
    status: 1,
    err: /line 1: "fe80::1%eth0\/64 eth0": "fe80::1%eth0" is no IP address[^]*"\|fe80::1%eth0\|0\|.*": Public IP is no IP address/,
  })
  t.match(await lab.eventscript('nodes', '-X'), { status: 1, out: /"fe80::1%eth0" is no IP address/ })
})

inLab(
  'ip and ifaces: what the daemon, the file and the kernel have, side by side',
  skip ? { skip } : {},
  async (t, lab) => {
    await lab.node.must('ip', 'addr', 'add', '10.0.0.2/24', 'dev', 'eth1')
    await lab.node.must('ip', 'addr', 'add', '10.0.0.3/25', 'dev', 'eth0')
    await lab.node.must('ip', 'addr', 'add', '10.0.0.5/24', 'dev', 'eth0')
    await lab.node.must('ip', 'link', 'set', 'eth1', 'down')
    lab.configure(
      'public_addresses',
      ['1', '2', '3', '4', '5', '7'].map((i) => `10.0.0.${i}/24 eth0,eth9\n`).join(''),
    )
    const believed = ['1|0|eth0', '2|0|eth0', '3|0|eth0', '4|-1|', '5|1|', '6|1|']
    lab.ctdbSays('-v ip', [HEAD, ...believed.map((row) => `|10.0.0.${row}|eth0|eth0|`), ''].join('\n'))
    lab.ctdbSays('ifaces', '|Name|LinkStatus|References|\n|eth0|1|3|\n|eth1|1|0|\n')
    const ip = JSON.parse((await lab.eventscript('ip', '--json')).out) as { address: string; state: string }[]
    t.same(
      ip.map(({ address, state }) => [address.slice(7), state]),
      [
        ['1', 'missing'],
        ['2', 'wrong-interface'],
        ['3', 'wrong-netmask'],
        ['4', 'unassigned'],
        ['5', 'stray'],
        ['6', 'unlisted'],
        ['7', 'unloaded'],
      ],
    )
    t.match(ip[6], {
      node: null,
      kernel: [],
      listedBits: 24,
      listedInterfaces: ['eth0', 'eth9'],
      parked: false,
    })
    mkdirSync(join(lab.dir, 'eventscript'), { recursive: true })
    writeFileSync(join(lab.dir, 'eventscript/parked'), '10.0.0.1 24 eth0 - somebody\n')
    t.match((await lab.eventscript('ip', '-X')).out, /^\|10\.0\.0\.1\|0\|.*\|1\|parked\|$/m)
    t.same((await lab.eventscript('ifaces', '-X')).out.trimEnd().split('\n'), [
      '|Name|LinkStatus|References|Listed|KernelLink|Held|State|',
      '|eth0|1|3|1|1|2|ok|',
      '|eth1|1|0|0|0|1|disagree|',
      '|eth9|||1||0|absent|',
    ])
    lab.ctdbSays('ifaces', 'No interfaces configured on node 0\n')
    t.match((await lab.eventscript('ifaces', '-X')).out, /^\|eth0\|\|\|1\|1\|2\|unloaded\|$/m)
    lab.ctdbSays('-v ip', `${HEAD}\n|10.0.0.1|0|eth0|eth0|`)
    t.match(await lab.eventscript('ip', '-X'), {
      status: 1,
      err: /^eventscript: ctdb printed "\|10\.0\.0\.1\|0\|eth0\|eth0\|": expected 5 columns/,
      out: /^\|10\.0\.0\.5\|\|.*\|unknown\|$/m,
    })
  },
)
