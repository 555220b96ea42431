/** A filter of this node hides no answer, and keeps no question here unnoticed: by the hooks beside the interface (nft's netdev). */
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { whyNoFilter } from '../../lab/needs.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { parkedLines, rivalWith, WAYS } from './conflict-lab.ts'

const PARK = 'EVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV4_DAD=yes\n'
const DAEMON = WAYS[1] as (typeof WAYS)[number]

/** The command that sets a filter before all others, or behind them (kernel 5.16 or later). */
function netdev(hook: 'ingress' | 'egress', rule: string): ['nft', string] {
  return ['nft', `table netdev t { chain c { type filter hook ${hook} device eth0 priority 0; ${rule}; }; }`]
}

const REVERSE_PATH = netdev('ingress', 'meta protocol ip6 fib saddr . iif oif missing drop')

const nothing = await prepareFile()
if (!nothing) {
  inLab(
    'IPv6: a reverse-path filter of the ingress hook un-parks no address',
    { needs: ['perl'], skip: whyNoFilter(REVERSE_PATH) },
    async (t, lab) => {
      const { mac } = await rivalWith(lab, 'fd00::1', '64')
      const runner = await DAEMON.start(lab, PARK)
      t.ok((await runner.run('takeip', 'eth0', 'fd00::1', '64')).ok)
      await lab.node.must(...REVERSE_PATH)
      const { said } = await runner.run('takeip', 'eth0', 'fd00::1', '64')
      t.match(said, [new RegExp(`^WARNING: fd00::1/64 is parked on lo: .*: ${mac} on eth0`)])
      t.same(await lab.node.places('fd00::1'), ['lo/128'])
    },
  )

  for (const { family, ip, bits } of FAMILIES) {
    const filter = netdev('egress', `meta protocol ${ip.includes(':') ? 'ip6' : 'arp'} drop`)
    inLab(
      `${family}: a question that a filter of the egress hook keeps here is no silence`,
      { needs: ['arping', 'perl'], skip: whyNoFilter(filter) },
      async (t, lab) => {
        await rivalWith(lab, ip, bits)
        const runner = await DAEMON.start(lab, PARK)
        t.ok((await runner.run('takeip', 'eth0', ip, bits)).ok)
        await lab.node.must(...filter)
        await waitFor('the reason', () => /which is parked, cannot be tried again: /.test(runner.log()))
        t.equal(parkedLines(lab).length, 1)
        t.notMatch(runner.log(), /no longer parked/)
      },
    )
  }
}
