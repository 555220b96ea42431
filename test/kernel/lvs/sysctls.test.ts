/** Another program changes the sysctls without which a follower answers for the leader's address ("sysctl --system"). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { LVS_FAMILIES, LvsGroup, whileWatching } from './lvs-group.ts'

const [IPV4] = LVS_FAMILIES
const NAMES = ['arp_ignore', 'arp_announce']

if (!(await prepareFile()))
  inLab(
    'IPv4: monitor sets the sysctls of LVS again, with one WARNING, counted; they are put back at shutdown',
    { needs: ['ipvsadm'] },
    async (t, lab) => {
      // a node that never leads works without IPVS in the kernel
      const group = await LvsGroup.start(lab, IPV4, ['follower-only', '', ''])
      const [node] = group.nodes as [(typeof group.nodes)[number]]
      const paths = NAMES.map((name) => `/proc/sys/net/ipv4/conf/all/${name}`)
      const now = async () => (await node.host.must('cat', ...paths)).trim().split('\n').map(Number)
      const answers = async () => {
        await lab.observer.run('ip', 'neigh', 'flush', 'all')
        return (await whileWatching(lab, IPV4.ip, () => lab.observer.reaches(IPV4.ip))).answers
      }
      for (const event of ['startup', 'ipreallocated', 'monitor'])
        t.equal((await node.lvs(event)).status, 0, event)
      t.same(await now(), [3, 2])
      for (const name of NAMES) await node.host.writeSysctl(`net/ipv4/conf/all/${name}`, 0)
      t.same(await answers(), [await node.host.macOf('eth0')], 'the follower answers')
      const result = await node.lvs('monitor')
      t.equal(result.status, 0)
      t.match(lines(result), [
        /^WARNING: sysctls of LVS put back: .*arp_ignore \(0, expected 3\), .*arp_announce \(0, expected 2\): another program/,
      ])
      t.same(await now(), [3, 2])
      t.same(await answers(), [], 'the follower is silent')
      t.same(lines(await node.lvs('monitor')), [], 'there is nothing to be said')
      const tally = join(node.dir, 'eventscript/upkeep/91.lvs')
      t.equal(readFileSync(tally, 'utf8').split('\n')[0], '2')
      t.equal((await node.lvs('shutdown')).status, 0)
      t.same(await now(), [0, 0])
    },
  )
