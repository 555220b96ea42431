/** The kernel switches IPv6 off on an interface whose MTU is below 1280: events and doctor say so. */
import { inLab, prepareFile } from '../../lab/in-lab.ts'

await prepareFile()

const SAID = /Failed to add fd00::1 on dev eth1: .*1280.*"ip link set dev eth1 mtu 1500"/

inLab(
  'updateip and takeip to such an interface fail with the remedy, and the address stays',
  {},
  async (t, lab) => {
    t.equal((await lab.script('takeip', 'eth0', 'fd00::1', '64')).status, 0)
    await lab.node.must('ip', 'link', 'set', 'dev', 'eth1', 'mtu', '1279')
    const { status, out, err } = await lab.script('updateip', 'eth0', 'eth1', 'fd00::1', '64')
    t.equal(status, 1)
    t.match(`${out}${err}`, SAID)
    t.strictSame(await lab.node.places('fd00::1'), ['eth0/64'])
    t.equal((await lab.script('releaseip', 'eth0', 'fd00::1', '64')).status, 0)
    const take = await lab.script('takeip', 'eth1', 'fd00::1', '64')
    t.equal(take.status, 1)
    t.match(`${take.out}${take.err}`, SAID)
  },
)

inLab('doctor names the interface, and IPv4 goes on', {}, async (t, lab) => {
  await lab.node.must('ip', 'link', 'set', 'dev', 'eth1', 'mtu', '1279')
  const { out } = await lab.eventscript('doctor')
  t.match(out, /eth1: .*1280/)
  t.match(out, /ip link set dev eth1 mtu 1500/)
  t.equal((await lab.script('takeip', 'eth1', '10.0.0.1', '24')).status, 0)
})
