/** Trouble of a public address that shows in no list of addresses: audit names it, check and metrics count it. */
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

/** The node, which is number 0, hosts the address as it should. */
async function hosting(lab: Lab, ip: string, bits: string): Promise<void> {
  lab.configure('public_addresses', `${ip}/${bits} eth0\n`)
  const row = `|${ip}|0|eth0|eth0|eth0|\n`
  const columns = '|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n'
  lab.ctdbSays('-v ip all', columns + row)
  const flags = 'Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline'
  lab.ctdbSays('nodestatus all', `|Node|IP|${flags}|ThisNode|\n|0|10.1.0.1|0|0|0|0|0|0|0|0|Y|\n`)
  if ((await lab.script('takeip', 'eth0', ip, bits)).status !== 0) throw new Error('takeip failed')
}

async function faults(lab: Lab): Promise<{ kind: string; seen: string; expected: string }[]> {
  const { out } = await lab.eventscript('audit', '--json')
  return (JSON.parse(out) as { faults: { kind: string; seen: string; expected: string }[] }).faults
}

/** The metrics that count such trouble. */
async function counts(lab: Lab): Promise<string[]> {
  const { out } = await lab.eventscript('metrics')
  return out.split('\n').filter((line) => /^eventscript_(addresses_on_port|routes_of_addresses) /.test(line))
}

if (!(await prepareFile())) {
  for (const { family, ip, bits } of FAMILIES)
    inLab(`${family}: the interface of an address has become a port of a bridge`, {}, async (t, lab) => {
      await hosting(lab, ip, bits)
      t.same(await faults(lab), [])
      t.same(await counts(lab), ['eventscript_addresses_on_port 0', 'eventscript_routes_of_addresses 0'])
      t.ok(await lab.observer.reaches(ip))
      await lab.node.must('ip', 'link', 'add', 'br0', 'type', 'bridge')
      await lab.node.must('ip', 'link', 'set', 'dev', 'eth0', 'master', 'br0')
      await waitFor('nobody to answer', async () => !(await lab.observer.reaches(ip)))
      const expected = `an interface by itself: "ip link set dev eth0 nomaster", or br0 in public_addresses in place of eth0`
      t.match(await faults(lab), [
        {
          state: 'error',
          kind: 'port',
          subject: ip,
          seen: `on eth0/${bits}, and eth0 is a port of the bridge br0: all that arrives there goes to br0`,
          expected,
        },
      ])
      t.match(await lab.eventscript('audit'), { status: 1, out: expected })
      t.match(await counts(lab), ['eventscript_addresses_on_port 1', 'eventscript_routes_of_addresses 0'])
      t.match((await lab.eventscript('check')).out, `on this node (${ip} (bridge br0))`)
      await lab.node.must('ip', 'link', 'set', 'dev', 'eth0', 'nomaster')
      t.same(await faults(lab), [], 'the command in that line repairs it')
    })

  inLab('a default route whose source is a public address goes with the address', {}, async (t, lab) => {
    await hosting(lab, '10.0.0.1', '24')
    await lab.node.must('ip', 'addr', 'add', '172.16.0.7/24', 'dev', 'eth0')
    const route = ['default', 'via', '10.0.0.254', 'dev', 'eth0']
    await lab.node.must('ip', 'route', 'add', ...route, 'src', '10.0.0.1')
    t.match(await faults(lab), [
      {
        state: 'warning',
        kind: 'route-source',
        subject: '10.0.0.1',
        seen: 'the source of the route default via 10.0.0.254 dev eth0: the kernel removes the route when the address leaves this node',
        expected: `an address of the node's own as its source: "ip route change default via 10.0.0.254 dev eth0 src OWN-ADDRESS"`,
      },
    ])
    t.match(await counts(lab), ['eventscript_addresses_on_port 0', 'eventscript_routes_of_addresses 1'])
    t.match((await lab.eventscript('check')).out, '(default via 10.0.0.254 dev eth0 src 10.0.0.1)')
    const shown = async () => await lab.node.must('ip', 'route', 'show', 'default')
    await lab.node.must('ip', 'route', 'change', ...route, 'src', '172.16.0.7')
    t.same(await faults(lab), [])
    t.equal((await lab.script('releaseip', 'eth0', '10.0.0.1', '24')).status, 0)
    t.match(await shown(), 'src 172.16.0.7', 'what audit advised: the route stays')
  })

  inLab('where routes cannot be looked at, audit says so', {}, async (t, lab) => {
    await hosting(lab, '10.0.0.1', '24')
    lab.standIn('ip', 'case "$*" in "-json route show") echo broken >&2; exit 1 ;; esac; exec $real "$@"')
    const { status, out, err } = await lab.eventscript('audit')
    t.equal(status, 1)
    t.notMatch(out, 'nothing is wrong')
    t.match(err, 'ip cannot show the routes: broken')
  })
}
