/** ctdbd dies on the NAT gateway and on the LVS leader: their addresses go as well, put there by any script. */
import type { Test } from '../../tap.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { start } from './dying.ts'

const NATGW = '10.9.9.9'
const LVS = '10.8.8.8'
/** The node's own, in the subnet of the NAT gateway. */
const OWN = '10.9.9.8'

/** As CTDB's 11.natgw and 91.lvs leave them; the mask is another than the options say. */
async function hold(lab: Lab): Promise<void> {
  lab.configure('script.options', `CTDB_NATGW_PUBLIC_IP=${NATGW}/28\nCTDB_NATGW_PUBLIC_IFACE=eth0\n`)
  lab.configure('events/legacy/91.lvs.options', `CTDB_LVS_NODES=/nodes\nCTDB_LVS_PUBLIC_IP=${LVS}\n`)
  for (const place of [`${NATGW}/24 dev eth1`, `${OWN}/24 dev eth1`, `${LVS}/32 dev lo scope host`])
    await lab.node.must('ip', 'addr', 'add', ...place.split(' '))
}

async function onlyOwnIsLeft(t: Test, { node }: Lab): Promise<void> {
  t.strictSame(await node.places(NATGW), [])
  t.strictSame(await node.places(LVS), [])
  t.strictSame(await node.places(OWN), ['eth1/24'])
}

if (!(await prepareFile())) {
  inLab("cleanup: both go, the node's own address stays", {}, async (t, lab) => {
    await hold(lab)
    const dry = await lab.eventscript('cleanup', '--dry-run')
    t.strictSame(
      lines(dry).filter((line) => line.startsWith('ip addr del')),
      [`ip addr del ${NATGW}/24 dev eth1`, `ip addr del ${LVS}/32 dev lo`],
    )
    t.strictSame(await lab.node.places(NATGW), ['eth1/24'])
    const { status, out, err } = await lab.eventscript('cleanup')
    t.strictSame({ status, err }, { status: 0, err: '' })
    t.match(out, `Removing NAT gateway address ${NATGW}/24 from device eth1\n`)
    t.match(out, `Removing LVS address ${LVS}/32 from device lo\n`)
    t.match(out, /^2 addresses dropped$/m)
    await onlyOwnIsLeft(t, lab)
    t.strictSame(await lab.eventscript('cleanup'), { status: 0, out: '', err: '' })
  })

  inLab('the event daemon does the same when ctdbd dies', {}, async (t, lab) => {
    const { ctdbd, daemon } = await start(lab)
    await hold(lab)
    ctdbd.kill('SIGKILL')
    t.equal(await daemon.ended, 3)
    await onlyOwnIsLeft(t, lab)
    t.match(daemon.log(), `11.natgw: Removing NAT gateway address ${NATGW}/24 from device eth1\n`)
    t.match(daemon.log(), /last act: 2 addresses dropped/)
  })

  inLab('the address of LVS on the interface, by the other options file', {}, async (t, lab) => {
    lab.configure('events/legacy/11.natgw.options', `CTDB_NATGW_PUBLIC_IP=${NATGW}/24\n`)
    lab.configure('script.options', `CTDB_LVS_NODES=/nodes\nCTDB_LVS_PUBLIC_IP=${LVS}\n`)
    await lab.node.must('ip', 'addr', 'add', `${LVS}/32`, 'dev', 'eth0')
    await lab.node.must('ip', 'addr', 'add', `${NATGW}/32`, 'dev', 'eth0')
    t.equal((await lab.eventscript('cleanup')).status, 0)
    t.strictSame(await lab.node.places(LVS), [])
    t.strictSame(await lab.node.places(NATGW), [])
  })

  inLab('an address that is not of LVS alone, and one of LVS that is off, stay', {}, async (t, lab) => {
    lab.configure('script.options', `CTDB_LVS_NODES=/nodes\nCTDB_LVS_PUBLIC_IP=${LVS}\n`)
    await lab.node.must('ip', 'addr', 'add', `${LVS}/24`, 'dev', 'eth0')
    t.strictSame(await lab.eventscript('cleanup'), { status: 0, out: '', err: '' })
    t.strictSame(await lab.node.places(LVS), ['eth0/24'])
    lab.configure('script.options', `CTDB_LVS_PUBLIC_IP=${LVS}\n`)
    await lab.node.must('ip', 'addr', 'add', `${LVS}/32`, 'dev', 'lo')
    t.strictSame(await lab.eventscript('cleanup'), { status: 0, out: '', err: '' })
    t.strictSame(await lab.node.places(LVS), ['lo/32', 'eth0/24'])
  })

  inLab('one that cannot be removed is named, with the command', {}, async (t, lab) => {
    await hold(lab)
    lab.standIn(
      'ip',
      `case "$*" in *-batch*) exit 1 ;; "addr del ${NATGW}"*) exit 2 ;; esac; exec $real "$@"`,
    )
    const { status, err } = await lab.eventscript('cleanup')
    t.equal(status, 1)
    t.equal(
      err,
      `eventscript: ${NATGW}/24 is still on eth1: no other node can have it: expected it to be gone: "ip addr del ${NATGW}/24 dev eth1"\n`,
    )
    t.strictSame(await lab.node.places(LVS), [])
  })

  inLab('an option that is no address keeps no other address here', {}, async (t, lab) => {
    await hold(lab)
    lab.configure('script.options', 'CTDB_NATGW_PUBLIC_IP=gateway/24\n')
    await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
    const { status, out } = await lab.eventscript('cleanup')
    t.equal(status, 1)
    t.match(out, 'Invalid configuration: CTDB_NATGW_PUBLIC_IP="gateway/24" is no IP address')
    t.match(out, /^2 addresses dropped$/m)
    t.strictSame(await lab.node.places('10.0.0.1'), [])
    t.strictSame(await lab.node.places(LVS), [])
  })
}
