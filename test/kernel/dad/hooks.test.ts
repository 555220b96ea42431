/** A filter of this node hides no answer, and keeps no question here unnoticed: by the hooks beside the interface (nft's netdev). */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { parkedLines, rivalWith, WAYS } from './conflict-lab.ts'

const PARK = 'EVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV4_DAD=yes\n'
const DAEMON = WAYS[1] as (typeof WAYS)[number]

/** A filter before all others, or behind them. */
async function netdev(lab: Lab, hook: 'ingress' | 'egress', rule: string): Promise<void> {
  const file = join(lab.dir, 'rules')
  writeFileSync(
    file,
    `table netdev t {\nchain c {\ntype filter hook ${hook} device eth0 priority 0;\n${rule}\n}\n}\n`,
  )
  await lab.node.must('nft', '-f', file)
}

const nothing = await prepareFile()
if (!nothing) {
  inLab(
    'IPv6: a reverse-path filter of the ingress hook un-parks no address',
    { needs: ['nft', 'perl'] },
    async (t, lab) => {
      const { mac } = await rivalWith(lab, 'fd00::1', '64')
      const runner = await DAEMON.start(lab, PARK)
      t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
      await netdev(lab, 'ingress', 'meta protocol ip6 fib saddr . iif oif missing drop')
      const { said } = await runner.run('takeip', 'eth0', 'fd00::1', '64')
      t.match(said, [new RegExp(`^WARNING: fd00::1/64 is parked on lo: .*: ${mac} on eth0`)])
      t.same(await lab.node.places('fd00::1'), ['lo/128'])
    },
  )

  for (const { family, ip, bits } of FAMILIES)
    inLab(
      `${family}: a question that a filter of the egress hook keeps here is no silence`,
      { needs: ['nft', 'arping', 'perl'] },
      async (t, lab) => {
        await rivalWith(lab, ip, bits)
        const runner = await DAEMON.start(lab, PARK)
        t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
        await netdev(lab, 'egress', `meta protocol ${ip.includes(':') ? 'ip6' : 'arp'} drop`)
        await waitFor('the reason', () => /which is parked, cannot be tried again: /.test(runner.log()))
        t.equal(parkedLines(lab).length, 1)
        t.notMatch(runner.log(), /no longer parked/)
      },
    )
}
