/**
 * A public address that a DHCP client or a person has added for a time: the kernel removes it when its `valid_lft` is over.
 * Events that find it in its place let it stay for ever, and the audit finds it.
 */
import { FAMILIES } from '../../lab/families.ts'
import type { Host } from '../../lab/host/host.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Test } from '../../tap.ts'

const EVENTS = [
  ['script', 'takeip', 'eth0'],
  ['script', 'updateip', 'eth1', 'eth0'],
  ['daemon', 'takeip', 'eth0'],
] as const

async function addFor(node: Host, address: string, iface: string, seconds: number): Promise<void> {
  const life = ['valid_lft', String(seconds), 'preferred_lft', String(seconds)]
  const nodad = address.includes(':') ? ['nodad'] : []
  await node.must('ip', 'addr', 'add', address, 'dev', iface, ...life, ...nodad)
}

/** Is everything about the address for ever, its route as well? */
async function staysForEver(t: Test, { node }: Lab, ip: string): Promise<void> {
  const shown = await node.must('ip', 'addr', 'show', 'to', ip)
  t.match(shown, /valid_lft forever preferred_lft forever/)
  t.notMatch(shown, /valid_lft \d/)
  const family = ip.includes(':') ? '-6' : '-4'
  t.notMatch(await node.must('ip', family, 'route', 'show', 'table', 'all', 'dev', 'eth0'), 'expires')
}

const nothing = await prepareFile()
if (!nothing)
  for (const { family, ip, bits } of FAMILIES) {
    for (const [by, event, ...ifaces] of EVENTS)
      inLab(`${family}, ${by}: ${event} lets it stay, without a break`, {}, async (t, lab) => {
        await addFor(lab.node, `${ip}/${bits}`, 'eth0', 60)
        const words = [event, ...ifaces, ip, bits]
        if (by === 'daemon') t.equal(await (await lab.daemon()).run(event, ...words.slice(1)), 0)
        else {
          const { status, out, err } = await lab.script(...words)
          t.equal(status, 0)
          t.match(out + err, /^WARNING: Public IP \S+ on eth0 would go in \d+ s \(valid_lft\): it stays/m)
        }
        t.same(await lab.node.places(ip), [`eth0/${bits}`])
        await staysForEver(t, lab, ip)
      })

    inLab(`${family}: the kernel does not remove it when its first time is over`, {}, async (t, lab) => {
      await addFor(lab.node, `${ip}/${bits}`, 'eth0', 4)
      t.equal((await lab.script('takeip', 'eth0', ip, bits)).status, 0)
      await new Promise((resolve) => setTimeout(resolve, 6000))
      t.same(await lab.node.places(ip), [`eth0/${bits}`])
      await staysForEver(t, lab, ip)
    })

    inLab(`${family}: the audit finds and repairs it`, {}, async (t, lab) => {
      lab.configure('public_addresses', `${ip}/${bits} eth0\n`)
      const row = `|${ip}|0|eth0|eth0|eth0|\n`
      const view = `|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n${row}`
      lab.ctdbSays('-v ip all', view)
      await addFor(lab.node, `${ip}/${bits}`, 'eth0', 60)
      const found = await lab.eventscript('audit')
      t.equal(found.status, 1)
      t.match(found.out, `eventscript run takeip eth0 ${ip} ${bits}`)
      t.match(found.out, /for a limited time/)
      t.equal((await lab.eventscript('audit', '--fix')).status, 0)
      await staysForEver(t, lab, ip)
      t.equal((await lab.eventscript('audit')).status, 0)
    })
  }
