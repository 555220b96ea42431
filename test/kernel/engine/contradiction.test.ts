/** Events by hand that contradict ctdbd: refused with the reason, unless forced; rehearsals and audit's repairs are not. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAMILIES } from '../../lab/families.ts'
import { lines, type Result } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import type { Test } from '../../tap.ts'

const WAYS_OUT = '; "--dry-run" shows what would be done, "--force" does it all the same'

/** What ctdbd, as the stand-in for its tool, says of each address: the node that hosts it. The lab's node is 0. */
function hosts(lab: Lab, byAddress: Record<string, number>): void {
  const rows = Object.entries(byAddress).map(([address, node]) => `|${address}|${node}||eth0|eth0|\n`)
  lab.ctdbSays(
    '-v ip all',
    `|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n${rows.join('')}`,
  )
}

/** A process that is taken for ctdbd. */
async function startCtdbd(lab: Lab) {
  copyFileSync('/bin/sleep', join(lab.dir, 'bin/ctdbd'))
  await lab.node.must('chmod', '+x', join(lab.dir, 'bin/ctdbd'))
  const ctdbd = lab.node.start(join(lab.dir, 'bin/ctdbd'), '600')
  await waitFor('ctdbd', async () => (await lab.node.must('cat', `/proc/${ctdbd.pid}/comm`)) === 'ctdbd\n')
  const end = async () => {
    ctdbd.kill()
    await ctdbd
  }
  return { sign: `pid ${ctdbd.pid}, in this network namespace`, end }
}

/** Refused in one line, with exit status 1, and nothing was done. */
async function refused(t: Test, lab: Lab, result: Result, line: string): Promise<void> {
  t.equal(result.status, 1)
  t.strictSame(lines(result), [`eventscript: ${line}${WAYS_OUT}`])
  t.notMatch((await lab.eventscript('history')).out, 'by hand', 'only what our script ran, if anything')
}

if (!(await prepareFile())) {
  for (const { family, ip, bits } of FAMILIES) {
    const take = ['takeip', 'eth0', ip, bits]
    inLab(`${family}: takeip of an address that ctdbd has on another node is refused`, {}, async (t, lab) => {
      hosts(lab, { [ip]: 2 })
      const why = `ctdbd has this address on node 2, and this is node 0: two nodes would answer for it: "ctdb moveip" moves an address`
      await refused(t, lab, await lab.eventscript('run', ...take), `takeip ${ip}: ${why}`)
      const move = ['updateip', 'eth1', 'eth0', ip, bits]
      await refused(t, lab, await lab.eventscript('run', ...move), `updateip ${ip}: ${why}`)
      const only = ['--only', '10.interface']
      await refused(t, lab, await lab.eventscript('run', ...only, ...take), `takeip ${ip}: ${why}`)
      t.strictSame(await lab.node.places(ip), [])

      const routes = await lab.eventscript('run', '--only', '13.per_ip_routing', ...take)
      t.match(routes, { status: 0, err: '' }, 'a handler that holds no public address')
      for (const how of [['run', '--dry-run'], ['explain']])
        t.match(await lab.eventscript(...how, ...take), { status: 0, out: /ip addr add/, err: '' })
      t.strictSame(await lab.node.places(ip), [])

      t.match(await lab.eventscript('run', '--force', ...take), { status: 0, err: '' })
      t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
      t.match(await lab.eventscript('run', 'releaseip', 'eth0', ip, bits), { status: 0, err: '' })
      t.strictSame(await lab.node.places(ip), [], 'an address that belongs elsewhere may go')
    })
  }

  const [, { ip, bits }] = FAMILIES
  const take = ['takeip', 'eth0', ip, bits]

  inLab('what ctdbd has here, nowhere or not at all may be taken', {}, async (t, lab) => {
    for (const [address, node] of [
      [ip, 0],
      [ip, -1],
      ['fd00::9', 2],
    ] as const) {
      hosts(lab, { [address]: node })
      t.match(await lab.eventscript('run', ...take), { status: 0, err: '' }, `${address} on ${node}`)
      t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
      t.equal((await lab.script('releaseip', 'eth0', ip, bits)).status, 0)
    }
  })

  inLab('releaseip of an address that ctdbd has here is refused', {}, async (t, lab) => {
    hosts(lab, { [ip]: 0 })
    t.equal((await lab.script(...take)).status, 0)
    const result = await lab.eventscript('run', 'releaseip', 'eth0', ip, bits)
    const why = `ctdbd has this address here, on node 0, and would go on as if it were: no node would answer for it`
    await refused(t, lab, result, `releaseip ${ip}: ${why}: "ctdb moveip" moves an address`)
    t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
  })

  inLab('audit --fix repairs as ever, and its commands are not refused', {}, async (t, lab) => {
    hosts(lab, { [ip]: 0 })
    t.match((await lab.eventscript('audit')).out, `eventscript run takeip eth0 ${ip} ${bits}`)
    await lab.eventscript('audit', '--fix')
    t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
    hosts(lab, { [ip]: 2 })
    t.match((await lab.eventscript('audit')).out, `eventscript run releaseip eth0 ${ip} ${bits}`)
    t.match(await lab.eventscript('run', 'releaseip', 'eth0', ip, bits), { status: 0, err: '' })
  })

  inLab('a dead ctdbd refuses nothing, a line says what is not known', {}, async (t, lab) => {
    lab.ctdbSays('pnn.fails', 'connect() failed, errno=2\n')
    const dead = await lab.eventscript('run', ...take)
    t.equal(dead.status, 0)
    t.equal(
      dead.err,
      `eventscript: WARNING: takeip ${ip}: ctdbd is not running here: whether another node has ${ip} is not known\n`,
    )
    t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
    t.equal((await lab.eventscript('run', 'shutdown')).status, 0)
    t.strictSame(await lab.node.places(ip), [])
  })

  inLab('ctdbd that is alive and does not answer is asked in vain: refused', {}, async (t, lab) => {
    const { sign } = await startCtdbd(lab)
    lab.ctdbSays('pnn.fails', 'timed out\n')
    const reason = `ctdbd is alive (${sign}), and does not say which node has ${ip}: "ctdb pnn" failed: timed out: expected an answer: see "eventscript doctor"`
    await refused(t, lab, await lab.eventscript('run', ...take), `takeip ${ip}: ${reason}`)
    t.strictSame(await lab.node.places(ip), [])
  })

  inLab('no shutdown or init of a live node by hand', {}, async (t, lab) => {
    hosts(lab, { [ip]: 0 })
    const { sign, end } = await startCtdbd(lab)
    t.equal((await lab.script(...take)).status, 0)
    const why = `ctdbd is alive (${sign}), and would go on as if its addresses were here: every public address would leave this node: "ctdb shutdown" stops a node, "ctdb disable" moves its addresses`
    for (const event of ['shutdown', 'init'])
      await refused(t, lab, await lab.eventscript('run', event), `${event}: ${why}`)
    t.equal((await lab.eventscript('run', '--dry-run', 'shutdown')).status, 0)
    t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
    for (const only of ['13.per_ip_routing', '91.lvs'])
      t.match(await lab.eventscript('run', '--only', only, 'shutdown'), { status: 0, err: '' }, only)
    t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
    t.match(await lab.eventscript('run', '--force', 'shutdown'), { status: 0, err: '' })
    t.strictSame(await lab.node.places(ip), [])
    await end()
  })
}
