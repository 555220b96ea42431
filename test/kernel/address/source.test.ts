/** EVENTSCRIPT_IPV6_SOURCE: a public address that is never the source of what the node itself sends, where it has another. */
import { rivalWith } from '../dad/conflict-lab.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const [IP, OTHER, OWN] = ['fd00::1', 'fd00::2', 'fd00::a']

async function withOwnAddress({ node }: Lab): Promise<void> {
  await node.must('ip', 'addr', 'add', `${OWN}/64`, 'dev', 'eth0', 'nodad')
}

/** The source of what the node itself sends to the observer. */
async function source({ node }: Lab): Promise<string | undefined> {
  const routes = JSON.parse(await node.must('ip', '-json', 'route', 'get', 'fd00::fe')) as {
    prefsrc: string
  }[]
  return routes[0]?.prefsrc
}

interface Info {
  deprecated?: boolean
  valid_life_time: number
}

/** The address on this interface, without what does not matter; undefined where it is not there. */
async function shown({ node }: Lab, address: string, iface = 'eth0') {
  const out = await node.must('ip', '-json', 'addr', 'show', 'dev', iface, 'to', address)
  const links = JSON.parse(out) as { addr_info?: Info[] }[]
  const [info] = links.flatMap(({ addr_info = [] }) => addr_info).filter((each) => 'valid_life_time' in each)
  return info && { deprecated: info.deprecated === true, forEver: info.valid_life_time === 2 ** 32 - 1 }
}

const SOURCE = { deprecated: false, forEver: true }
const NO_SOURCE = { deprecated: true, forEver: true }

if (!(await prepareFile())) {
  inLab('by default a public address is the source, as with CTDB', {}, async (t, lab) => {
    await withOwnAddress(lab)
    t.equal(await source(lab), OWN)
    t.equal((await lab.script('takeip', 'eth0', IP, '64')).status, 0)
    t.strictSame(await shown(lab, IP), SOURCE)
    t.equal(await source(lab), IP)
  })

  for (const by of ['script', 'daemon'] as const)
    inLab(`${by}: "no" for the node, "yes" for one address; updateip keeps it`, {}, async (t, lab) => {
      await withOwnAddress(lab)
      const options = `EVENTSCRIPT_IPV6_SOURCE="no ${OTHER}=yes"\n`
      lab.configure('script.options', options)
      const daemon = by === 'daemon' ? await lab.daemon(options) : undefined
      const run = async (...words: string[]) =>
        daemon ? await daemon.run(words[0] ?? '', ...words.slice(1)) : (await lab.script(...words)).status
      t.equal(await run('takeip', 'eth0', IP, '64'), 0)
      t.strictSame(await shown(lab, IP), NO_SOURCE)
      t.equal(await source(lab), OWN)
      t.ok(await lab.observer.reaches(IP), 'served all the same')
      t.equal(await run('updateip', 'eth0', 'eth1', IP, '64'), 0)
      t.strictSame(await shown(lab, IP, 'eth1'), NO_SOURCE)
      t.equal(await run('updateip', 'eth1', 'eth0', IP, '64'), 0)
      t.equal(await run('takeip', 'eth0', IP, '64'), 0, 'it is there already')
      t.strictSame(await shown(lab, IP), NO_SOURCE)
      t.equal(await source(lab), OWN)
      t.equal(await run('takeip', 'eth0', OTHER, '64'), 0)
      t.strictSame(await shown(lab, OTHER), SOURCE)
      t.equal(await source(lab), OTHER)
    })

  for (const dad of ['default', 'fast', 'optimistic', 'off'])
    inLab(`EVENTSCRIPT_DAD=${dad} and the check that ends later keep it`, {}, async (t, lab) => {
      lab.configure('script.options', `EVENTSCRIPT_DAD=${dad}\nEVENTSCRIPT_IPV6_SOURCE="${IP}=no"\n`)
      t.equal((await lab.script('takeip', 'eth0', IP, '64')).status, 0)
      const pending = async () => await lab.node.must('ip', 'addr', 'show', 'to', IP)
      await waitFor('the check', async () => !/tentative|optimistic/.test(await pending()))
      t.strictSame(await shown(lab, IP), NO_SOURCE)
    })

  inLab('an address that was parked is no source when it is back', {}, async (t, lab) => {
    const { host } = await rivalWith(lab, IP, '64')
    const options = 'EVENTSCRIPT_DAD=fast\nEVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV6_SOURCE=no\n'
    const daemon = await lab.daemon(options)
    t.equal(await daemon.run('takeip', 'eth0', IP, '64'), 0)
    t.strictSame(await lab.node.places(IP), ['lo/128'])
    await host.must('ip', 'link', 'set', 'eth0', 'down')
    await waitFor('it to be back', async () => (await shown(lab, IP)) !== undefined)
    t.strictSame(await shown(lab, IP), NO_SOURCE)
  })

  inLab('the option changes: takeip and audit --fix follow', {}, async (t, lab) => {
    lab.configure('public_addresses', `${IP}/64 eth0\n`)
    const row = `|${IP}|0|eth0|eth0|eth0|\n`
    lab.ctdbSays(
      '-v ip all',
      `|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n${row}`,
    )
    await withOwnAddress(lab)
    t.equal((await lab.script('takeip', 'eth0', IP, '64')).status, 0)
    t.notMatch((await lab.eventscript('audit')).out, 'EVENTSCRIPT_IPV6_SOURCE', 'nobody has said anything')
    for (const [word, before, after] of [
      ['no', SOURCE, NO_SOURCE],
      ['yes', NO_SOURCE, SOURCE],
    ] as const) {
      lab.configure('script.options', `EVENTSCRIPT_IPV6_SOURCE=${word}\n`)
      t.strictSame(await shown(lab, IP), before)
      const { faults } = JSON.parse((await lab.eventscript('audit', '--json')).out) as { faults: object[] }
      const repair = `eventscript run takeip eth0 ${IP} 64`
      t.match(faults, [{ state: 'warning', kind: 'ipv6-source', subject: IP, repair }])
      t.equal((await lab.eventscript('audit', '--fix')).status, 0)
      t.strictSame(await shown(lab, IP), after)
      t.equal(await source(lab), word === 'no' ? OWN : IP)
    }
    lab.configure('script.options', 'EVENTSCRIPT_IPV6_SOURCE=no\n')
    const life = ['valid_lft', '600', 'preferred_lft', '600']
    await lab.node.must('ip', 'addr', 'change', `${IP}/64`, 'dev', 'eth0', ...life)
    t.equal((await lab.script('takeip', 'eth0', IP, '64')).status, 0)
    t.strictSame(await shown(lab, IP), NO_SOURCE, 'for ever, and no source')
  })
}
