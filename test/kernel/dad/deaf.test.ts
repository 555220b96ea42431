/** An address that was taken while nobody could hear the question, or answer it, is asked for again. */
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { parkedLines, rivalWith, WAYS } from './conflict-lab.ts'

const PARK = 'EVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV4_DAD=yes\n'
const [SCRIPT, DAEMON] = WAYS as [(typeof WAYS)[number], (typeof WAYS)[number]]

const isParked = (lab: Lab, ip: string) => parkedLines(lab).some((line) => line.startsWith(ip))

const nothing = await prepareFile()
if (!nothing) {
  for (const [what, hears] of [
    [
      'no carrier',
      (lab: Lab, can: boolean) => lab.observer.must('ip', 'link', 'set', 'port-eth0', can ? 'up' : 'down'),
    ],
    [
      'ARP off',
      (lab: Lab, can: boolean) => lab.node.must('ip', 'link', 'set', 'eth0', 'arp', can ? 'on' : 'off'),
    ],
  ] as const)
    inLab(`IPv6, ${what}: the kernel's check is no answer`, { needs: ['perl'] }, async (t, lab) => {
      await rivalWith(lab, 'fd00::1', '64')
      const runner = await DAEMON.start(lab, PARK)
      await hears(lab, false)
      const { ok, said } = await runner.run('takeip', 'eth0', 'fd00::1', '64')
      t.ok(ok)
      t.match(said, [/^WARNING: fd00::1 is not checked for duplicates: nobody can be asked on eth0: /])
      t.equal(said.length, 1)
      t.same(await lab.node.places('fd00::1'), ['eth0/64'])
      await hears(lab, true)
      await waitFor('it to be parked', () => isParked(lab, 'fd00::1'))
      await waitFor('it to be on lo', async () => (await lab.node.places('fd00::1')).join() === 'lo/128')
    })

  for (const { family, ip, bits } of FAMILIES)
    inLab(
      `${family}: a parked address that an event takes while its rival is deaf is parked again`,
      { needs: ['arping', 'perl'] },
      async (t, lab) => {
        await rivalWith(lab, ip, bits)
        const runner = await SCRIPT.start(lab, PARK)
        t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
        await lab.observer.must('ip', 'link', 'set', 'port-rival', 'nomaster')
        t.same(await runner.run('takeip', 'eth0', ip, bits), { ok: true, said: [] })
        t.same(await lab.node.places(ip), [`eth0/${bits}`])
        await lab.observer.must('ip', 'link', 'set', 'port-rival', 'master', 'lan')
        await waitFor('it to be parked again', () => isParked(lab, ip))
        t.match(
          runner.log(),
          `WARNING: ${ip} is on eth0, and another host has it, which did not answer before`,
        )
      },
    )

  for (const { family, ip, bits } of FAMILIES)
    inLab(
      `${family}: a parked address stays parked when an event takes it and nobody can be asked`,
      { needs: ['arping', 'perl'] },
      async (t, lab) => {
        const { host } = await rivalWith(lab, ip, bits)
        const runner = await SCRIPT.start(lab, PARK)
        t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
        await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'down')
        const { ok, said } = await runner.run('takeip', 'eth0', ip, bits)
        t.ok(ok)
        t.match(said, [/ stays parked on lo: nobody can be asked on eth0: it has no carrier: /])
        t.match(await lab.node.places(ip), [/^lo\//])
        t.ok(isParked(lab, ip))
        await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'up')
        await host.must('ip', 'addr', 'del', `${ip}/${bits}`, 'dev', 'eth0')
        await waitFor('it to be on eth0', async () => (await lab.node.places(ip)).join() === `eth0/${bits}`)
      },
    )

  inLab(
    'IPv4: a parked address stays parked when an event takes it and arping may not ask',
    { needs: ['arping'] },
    async (t, lab) => {
      await rivalWith(lab, '10.0.0.1', '24')
      const runner = await SCRIPT.start(lab, PARK)
      t.ok((await runner.run('takeip', 'eth0', '10.0.0.1', '24')).ok)
      lab.standIn(
        'arping',
        'case "$1" in -V) exec $real -V;; esac\nexec setpriv --bounding-set=-net_raw $real "$@"',
      )
      t.ok((await runner.run('takeip', 'eth0', '10.0.0.1', '24')).ok)
      t.same(await lab.node.places('10.0.0.1'), ['lo/32'])
      t.ok(isParked(lab, '10.0.0.1'))
    },
  )

  for (const { family, ip, bits } of FAMILIES)
    inLab(
      `${family}: an address that is asked for again stays so after an updateip to where it is`,
      { needs: ['arping', 'perl'] },
      async (t, lab) => {
        await rivalWith(lab, ip, bits)
        const runner = await SCRIPT.start(lab, PARK)
        await lab.node.must('ip', 'link', 'set', 'eth0', 'arp', 'off')
        t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
        const { ok, said } = await runner.run('updateip', 'eth1', 'eth0', ip, bits)
        t.ok(ok)
        t.match(said.join('\n'), `Redundant "updateip" - ${ip} already on eth0`)
        t.same(parkedLines(lab), [`watch ${ip} ${bits} eth0`])
        await lab.node.must('ip', 'link', 'set', 'eth0', 'arp', 'on')
        await waitFor('it to be parked', () => isParked(lab, ip))
      },
    )
}
