/** Only rules of ours are removed: those with our mark, and those that CTDB's script would have set. */
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'

type Family = (typeof FAMILIES)[number]

const MARK = ['-m', 'comment', '--comment', 'eventscript']

/** The words behind `INPUT` of rules that an admin may have; the lists name eth0 and eth1 for the address. */
const theirs = ({ ip, other }: Family) => [
  ['-i', 'eth7', '-d', ip, '-j', 'DROP'],
  ['-i', 'eth0', '-d', other, '-j', 'DROP'],
  ['-i', 'eth0', '-d', ip, '-m', 'comment', '--comment', 'mine', '-j', 'DROP'],
  ['-i', 'eth0', '-d', ip, '-p', 'tcp', '-j', 'DROP'],
  ['-d', ip, '-j', 'DROP'],
]

/** Of CTDB's script and our older versions; of ours, on whatever interface. */
const ours = ({ ip }: Family) => [
  ['-i', 'eth1', '-d', ip, '-j', 'DROP'],
  ['-i', 'eth0', '-d', ip, '-j', 'DROP'],
  ['-i', 'eth7', '-d', ip, ...MARK, '-j', 'DROP'],
]

/** What is done, in this order: each once. */
const ACTS: readonly ((lab: Lab, family: Family) => Promise<unknown>)[] = [
  (lab, { ip, bits }) => lab.script('takeip', 'eth0', ip, bits),
  (lab, { ip, bits }) => lab.script('updateip', 'eth0', 'eth1', ip, bits),
  (lab, { ip, bits }) => lab.script('releaseip', 'eth1', ip, bits),
  (lab) => lab.script('init'),
  (lab) => lab.script('shutdown'),
  (lab) => lab.eventscript('audit', '--fix'),
  (lab) => lab.eventscript('cleanup'),
]

for (const family of (await prepareFile()) ? [] : FAMILIES) {
  const { iptables } = family
  inLab(
    `${family.family}: rules of ours go at each act, rules of the admin stay`,
    { needs: [iptables, `${iptables}-save`] },
    async (t, lab) => {
      for (const rule of theirs(family)) await lab.node.must(iptables, '-A', 'INPUT', ...rule)
      const before = await lab.node.dropRules()
      t.equal(before.length, theirs(family).length)
      for (const act of ACTS) {
        for (const rule of ours(family)) await lab.node.must(iptables, '-I', 'INPUT', ...rule)
        await act(lab, family)
        t.strictSame(await lab.node.dropRules(), before, String(act))
      }
    },
  )
}

for (const { family, ip, bits, iptables } of (await prepareFile()) ? [] : FAMILIES)
  inLab(
    `${family}: a rule without mark on an interface that the list names by an altname`,
    { needs: [iptables, `${iptables}-save`] },
    async (t, lab) => {
      const altname = 'public0'
      await lab.node.must('ip', 'link', 'property', 'add', 'dev', 'eth0', 'altname', altname)
      lab.configure('public_addresses', `${ip}/${bits} ${altname}\n`)
      const rule = (iface: string) => ['INPUT', '-i', iface, '-d', ip, '-j', 'DROP']
      await lab.node.must(iptables, '-A', ...rule('eth1'))
      const theirs = await lab.node.dropRules()
      for (const act of [
        () => lab.script('takeip', altname, ip, bits),
        () => lab.script('releaseip', altname, ip, bits),
        () => lab.eventscript('audit', '--fix'),
        () => lab.eventscript('cleanup'),
      ]) {
        await lab.node.must(iptables, '-I', ...rule('eth0'))
        await act()
        t.strictSame(await lab.node.dropRules(), theirs, String(act))
      }
    },
  )
