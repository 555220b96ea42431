/**
 * A container that may not change sysctls: the kernel takes a whole subnet along with its first address, and what is not
 * meant to go comes back.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { manyAddresses } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const SYSCTL = '/proc/sys/net/ipv4/conf/eth0/promote_secondaries'
const REMEDY = '"sysctl -w net.ipv4.conf.all.promote_secondaries=1" on the host keeps the kernel from it'
const OURS = ['10.0.0.1', '10.0.0.2']
/** The host's own, with all that an address can have. */
const OWN = 'metric 77 scope global secondary deprecated noprefixroute eth0:own'
const WARNING = `WARNING: cannot set ${SYSCTL}: 10.0.0.2 and 10.0.0.3 go from eth0 with 10.0.0.1 and are put back at once: ${REMEDY}`

const listed = (addresses: readonly string[]) => addresses.map((ip) => `${ip}/24 eth0,eth1\n`).join('')
const put = (lab: Lab, address: string, ...more: string[]) =>
  lab.node.must('ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0', ...more)

/** Two public addresses, then one of the host's own; and routes of its own by way of them. */
async function container(lab: Lab, addresses: readonly string[] = OURS): Promise<void> {
  lab.configure('public_addresses', listed(addresses))
  await lab.node.makeReadOnly('/proc/sys')
  for (const address of addresses) await put(lab, address, 'brd', '+')
  await put(lab, '10.0.0.3', 'label', 'eth0:own', 'metric', '77', 'noprefixroute', 'preferred_lft', '0')
  const src = addresses.includes('10.0.0.2') ? ['src', '10.0.0.2'] : []
  for (const words of [['default'], ['10.8.0.0/16', 'table', '77'], ['10.9.0.0/16', ...src]])
    await lab.node.must('ip', 'route', 'add', ...words, 'via', '10.0.0.254')
}

/** IPv4 of eth0 as the kernel has it, and the routes. */
async function network(lab: Lab): Promise<string[]> {
  const addresses = await lab.node.must('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0')
  const routes = await lab.node.must('ip', 'route', 'show', 'table', 'all')
  const tidy = (text: string) => text.replaceAll(/\\? +|^\d+: /gm, ' ').replaceAll(/ valid_lft.*/g, '')
  return [addresses, routes]
    .flatMap((text) => text.split('\n'))
    .map((line) => tidy(line).trim())
    .filter((line) => /^(eth0 inet|default|10\.[89])/.test(line))
}

const ROUTES = ['10.8.0.0/16 via 10.0.0.254 dev eth0 table 77', 'default via 10.0.0.254 dev eth0']
const AFTER = [
  'eth0 inet 10.0.0.2/24 brd 10.0.0.255 scope global eth0',
  `eth0 inet 10.0.0.3/24 ${OWN}`,
  ...ROUTES,
  '10.9.0.0/16 via 10.0.0.254 dev eth0 src 10.0.0.2',
]
const ALONE = [`eth0 inet 10.0.0.3/24 ${OWN.replace('secondary ', '')}`, ...ROUTES]

if (!(await prepareFile())) {
  inLab(
    'releaseip takes one address away: the others are as they were, and so are routes',
    {},
    async (t, lab) => {
      await container(lab)
      const result = await lab.script('releaseip', 'eth0', '10.0.0.1', '24')
      t.equal(result.status, 0)
      t.same(lines(result), [WARNING])
      t.same(await network(lab), AFTER)
    },
  )

  inLab('and by hand', {}, async (t, lab) => {
    await container(lab)
    const { status, out } = await lab.eventscript('run', 'releaseip', 'eth0', '10.0.0.1', '24')
    t.equal(status, 0)
    t.match(out, `  ${WARNING}\n`)
    t.same(await network(lab), AFTER)
  })

  inLab('what the kernel does by itself: all go, and the routes with them', {}, async (t, lab) => {
    await container(lab)
    await lab.node.must('ip', 'addr', 'del', '10.0.0.1/24', 'dev', 'eth0')
    t.same(await network(lab), [])
  })

  for (const name of ['all', 'eth0'])
    inLab(`promote_secondaries is 1 for ${name}: nothing need be put back, or said`, {}, async (t, lab) => {
      await lab.node.writeSysctl(`net/ipv4/conf/${name}/promote_secondaries`, 1)
      await container(lab)
      t.strictSame(await lab.script('releaseip', 'eth0', '10.0.0.1', '24'), { status: 0, out: '', err: '' })
      t.same(await network(lab), AFTER)
      t.notOk(existsSync(join(lab.dir, 'var/secondaries.flock')))
    })

  inLab('one that is not the first goes alone, in silence', {}, async (t, lab) => {
    await container(lab)
    t.strictSame(await lab.script('releaseip', 'eth0', '10.0.0.2', '24'), { status: 0, out: '', err: '' })
    t.same(await lab.node.places('10.0.0.1'), ['eth0/24'])
    t.same(await lab.node.places('10.0.0.2'), [])
    t.same(await lab.node.places('10.0.0.3'), ['eth0/24'])
  })

  inLab('a look at the others that fails is said: they go', {}, async (t, lab) => {
    await container(lab)
    lab.standIn('ip', 'case "$*" in *"addr show dev eth0") echo busy >&2; exit 2 ;; esac; exec $real "$@"')
    t.same(lines(await lab.script('releaseip', 'eth0', '10.0.0.1', '24')), [
      'WARNING: the addresses on eth0 that go with 10.0.0.1 cannot be seen: busy',
    ])
    lab.noStandIn('ip')
    t.same(await lab.node.places('10.0.0.2'), [])
  })

  inLab('a connection to a sibling goes on', { needs: ['ss'] }, async (t, lab) => {
    await container(lab)
    await lab.node.serve('10.0.0.2', 445)
    const client = await lab.observer.connect('10.0.0.2', 445)
    t.equal((await lab.script('releaseip', 'eth0', '10.0.0.1', '24')).status, 0)
    client.speak()
    await waitFor('an answer', () => client.events().length > 1)
    t.same(client.events(), ['connected', 'echo'])
  })

  inLab(
    'public siblings are announced once, by a script and by the daemon',
    { needs: ['arping', 'perl'] },
    async (t, lab) => {
      await container(lab)
      const mac = await lab.node.macOf('eth0')
      const [own, wire] = [
        await lab.observer.watch('lan', '10.0.0.3'),
        await lab.observer.watch('lan', '10.0.0.2'),
      ]
      const expected = ['ARP request', 'ARP reply'].map((form) => ({ form, mac }))
      await lab.script('releaseip', 'eth0', '10.0.0.1', '24')
      await waitFor('the announcer', () => wire.seen().length === 2 && lab.announcers().length === 0)
      t.match(
        wire.seen().toSorted((a, b) => b.form.localeCompare(a.form)),
        expected,
      )
      await lab.node.must('ip', 'addr', 'flush', 'dev', 'eth0')
      for (const address of [...OURS, '10.0.0.3']) await put(lab, address, 'brd', '+')
      const daemon = await lab.daemon()
      t.equal(await daemon.run('releaseip', 'eth0', '10.0.0.1', '24'), 0)
      await waitFor('the daemon to announce', () => wire.seen().length === 4)
      await sleep(1500) // a second round would come 1.1 s later
      t.equal(wire.seen().length, 4)
      t.same(own.seen(), [], "nobody is told of the host's own")
      await daemon.logged(/WARNING: cannot set .*: 10\.0\.0\.2 and 10\.0\.0\.3 go from eth0 with 10\.0\.0\.1/)
    },
  )

  inLab('updateip moves the first: the others stay where they were', {}, async (t, lab) => {
    await container(lab)
    const result = await lab.script('updateip', 'eth0', 'eth1', '10.0.0.1', '24')
    t.equal(result.status, 0)
    t.same(lines(result)[0], WARNING)
    t.same(await lab.node.places('10.0.0.1'), ['eth1/24'])
    t.same(await network(lab), AFTER)
  })

  for (const event of ['init', 'shutdown'])
    inLab(`${event}: nothing public comes back, the host's own stays`, {}, async (t, lab) => {
      await container(lab)
      const result = await lab.script(event)
      t.equal(result.status, 0)
      t.match(
        result.out,
        `WARNING: cannot set ${SYSCTL}: 10.0.0.3 goes from eth0 with 10.0.0.1 and is put back at once`,
      )
      t.same(await network(lab), ALONE)
    })

  inLab('cleanup of a dead node counts what it drops, and leaves the host its own', {}, async (t, lab) => {
    await container(lab)
    const { status, out, err } = await lab.eventscript('cleanup', '--force')
    t.equal(status, 0, err)
    t.match(out, /2 addresses dropped/)
    t.same(await network(lab), ALONE)
  })

  inLab('dry-run and explain say it before, with the commands, and change nothing', {}, async (t, lab) => {
    await container(lab)
    const before = await network(lab)
    const words = ['releaseip', 'eth0', '10.0.0.1', '24']
    const batch = /^ *\$? ?(printf '%s\\n' 'addr add 10\.0\.0\.2\/32 dev eth0' .* \| ip -force -batch -)$/m
    let command = ''
    for (const how of [['run', '--dry-run'], ['explain']]) {
      const { status, out } = await lab.eventscript(...how, ...words)
      t.equal(status, 0)
      t.match(out, `says: ${WARNING}`)
      t.notMatch(out, 'echo 1 >/proc/sys/net/ipv4/conf', 'which cannot be done')
      command = batch.exec(out)?.[1] ?? ''
      t.match(command, "'addr del 10.0.0.1/24 dev eth0'")
    }
    t.same(await network(lab), before)
    await lab.node.must('sh', '-c', command)
    t.same(await network(lab), AFTER, 'and the command does what it says when it is pasted')
  })

  for (const how of ['a script', 'the daemon'])
    inLab(`one that does not come back fails ${how}, and is named`, {}, async (t, lab) => {
      await container(lab)
      const failing = String.raw`sed -u 's/^\(addr add 10.0.0.3.24 dev\) eth0/\1 nosuch0/'`
      lab.standIn('ip', `case "$*" in *-batch*) ${failing} | $real "$@" ;; *) exec $real "$@" ;; esac`)
      const says =
        'Failed to put 10.0.0.3/24 back on dev eth0, gone with 10.0.0.1/24: Cannot find device "nosuch0": "ip addr add 10.0.0.3/24 dev eth0 label eth0:own metric 77 noprefixroute valid_lft forever preferred_lft 0"'
      if (how === 'a script') {
        const result = await lab.script('releaseip', 'eth0', '10.0.0.1', '24')
        t.equal(result.status, 1)
        t.same(lines(result), [WARNING, says])
      } else {
        const daemon = await lab.daemon()
        t.equal(await daemon.run('releaseip', 'eth0', '10.0.0.1', '24'), 8)
        await waitFor('the line', () => daemon.log().includes(says))
      }
      t.same(await lab.node.places('10.0.0.2'), ['eth0/24'])
    })

  inLab(
    'a burst in the daemon: those released stay away, those taken meanwhile stay here',
    {},
    async (t, lab) => {
      const many = manyAddresses('IPv4', 90)
      const [going, staying, coming] = [many.slice(0, 60), many.slice(60, 75), many.slice(75)]
      await container(lab, [...going.slice(0, 30), ...staying, ...going.slice(30)])
      lab.configure('public_addresses', listed(many))
      const daemon = await lab.daemon()
      const all = (event: string, addresses: readonly string[]) =>
        addresses.map(async (address, i) => {
          await sleep((i % 5) * 7) // in several bursts, the first of the subnet again and again among them
          return await daemon.run(event, 'eth0', address, '24')
        })
      const results = await Promise.all([...all('releaseip', going), ...all('takeip', coming)])
      t.same(new Set(results), new Set([0]))
      const text = await lab.node.must('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0')
      const left = [...text.matchAll(/inet ([^ ]+) /g)].map(([, address = '']) => address)
      t.same(
        left.toSorted(),
        [...staying, ...coming, '10.0.0.3'].map((address) => `${address}/24`).toSorted(),
      )
      t.equal(text.split(OWN.replace(/.*noprefix/, 'noprefix')).length, 2, "the host's own is as it was")
      t.notMatch(daemon.log(), /Failed|defect/)
      t.equal(await daemon.run('shutdown'), 0)
      t.same(await network(lab), [...ALONE, '10.9.0.0/16 via 10.0.0.254 dev eth0'])
    },
  )

  inLab(
    'killed within the batch: the next events for the public addresses put all right',
    {},
    async (t, lab) => {
      await container(lab)
      await lab.node.must('ip', 'addr', 'del', '10.0.0.3/24', 'dev', 'eth0')
      for (let done = 0; done <= 4; done += 1) {
        lab.standIn(
          'ip',
          `case "$*" in *-batch*) head -n ${done} | $real "$@"; kill -9 $PPID; exit 1 ;; esac; exec $real "$@"`,
        )
        t.not((await lab.script('releaseip', 'eth0', '10.0.0.1', '24')).status, 0, 'it was killed')
        lab.noStandIn('ip')
        t.equal((await lab.script('releaseip', 'eth0', '10.0.0.1', '24')).status, 0)
        t.equal((await lab.script('takeip', 'eth0', '10.0.0.2', '24')).status, 0)
        const both = [await lab.node.places('10.0.0.1'), await lab.node.places('10.0.0.2')]
        t.same(both, [[], ['eth0/24']], `after ${done} lines`)
        await lab.node.must('ip', '-4', 'addr', 'flush', 'dev', 'eth0')
        for (const address of OURS) await put(lab, address, 'brd', '+')
      }
    },
  )

  inLab(
    'scripts at once wait for one another, also without iptables and its lock',
    { needs: ['flock'] },
    async (t, lab) => {
      const many = manyAddresses('IPv4', 8)
      await container(lab, many)
      const [going, staying] = [many.slice(0, 5), many.slice(5)]
      const release = (address: string) =>
        lab.scriptWithOnly(['ip', 'ss', 'flock', 'sh'], 'releaseip', 'eth0', address, '24')
      const results = await Promise.all(going.map(release))
      t.same(new Set(results.map(({ status }) => status)), new Set([0]))
      const text = await lab.node.must('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0')
      const left = [...text.matchAll(/inet ([^ ]+) /g)].map(([, address = '']) => address)
      t.same(left.toSorted(), [...staying, '10.0.0.3'].map((address) => `${address}/24`).toSorted())
    },
  )
}
