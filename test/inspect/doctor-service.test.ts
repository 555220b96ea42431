/** doctor: a ctdb.service that systemd cannot start. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from '../tap.ts'
import type { Patient } from '../../runner/inspect/finding.ts'
import { SERVICE } from '../../runner/inspect/doctor/service.ts'
import { doorTo } from '../../runner/machine/machine.ts'
import { live } from '../../runner/machine/live/live.ts'
import { script, world } from '../lab/ctdb/ctdb-folders.ts'

/** The places of the files of Debian's ctdb 4.25.1, and of 4.17 to 4.24. */
const NEW = { socket: '/run/ctdb/ctdbd.socket', pidfile: '/run/samba/ctdb/ctdbd.pid' }
const OLD = { socket: '/run/ctdb/ctdbd.socket', pidfile: '/run/ctdb/ctdbd.pid' }

/** A node whose ctdb-path reports these places, and doctor's findings about that unit, as `text` and `remedy`. */
function node(t: Test, { socket, pidfile }: typeof NEW) {
  const { dir, lib } = world(t)
  const config = join(dir, 'etc/ctdb.conf')
  script(
    join(lib, 'ctdb-path'),
    `case $1 in socket) echo ${socket} ;; pidfile) echo ${pidfile} ;; config) echo ${config} ;; esac`,
  )
  const units = join(dir, 'sys/systemd/system')
  mkdirSync(units, { recursive: true })
  mkdirSync(join(dir, 'sys/tmpfiles.d'))
  const env = { CTDB_SYS_ETCDIR: join(dir, 'sys') }
  const patient = { door: doorTo(live()), facts: { env } } as unknown as Patient
  return {
    dir,
    config,
    write: (name: string, text: string) => writeFileSync(join(dir, 'sys', name), text),
    unit: (text: string) => writeFileSync(join(units, 'ctdb.service'), text),
    look: async () => {
      process.env['CTDB_HELPER_BINDIR'] = lib
      try {
        return await SERVICE.service(patient)
      } finally {
        delete process.env['CTDB_HELPER_BINDIR']
      }
    },
  }
}

const GOOD = [{ state: 'ok', check: 'systemd', subject: 'ctdb.service' }]

t.test('a missing folder below /run that no unit creates is found', async (t) => {
  const { dir, unit, look, write } = node(t, NEW)
  t.same(await look(), [], 'no ctdb.service')
  unit(`[Service]\nPIDFile=${NEW.pidfile}\nRuntimeDirectory=samba/ctdb\n`)
  const [found, ...others] = await look()
  t.same(others, [])
  t.match(found, {
    state: 'error',
    text: 'RuntimeDirectory=samba/ctdb does not make /run/ctdb, where ctdbd has /run/ctdb/ctdbd.socket: after a boot it does not start',
  })
  const remedy = found?.remedy?.replace(/ && systemctl daemon-reload$/, '')
  await execa('bash', ['-ec', remedy ?? 'false'])
  t.match(await look(), GOOD, 'the remedy was pasted')
  rmSync(join(dir, 'sys/systemd/system/ctdb.service.d'), { recursive: true })
  t.match(await look(), [{ state: 'error' }])
  write('tmpfiles.d/ours.conf', 'd /var/run/ctdb 0755 root root -\n')
  t.match(await look(), GOOD, 'tmpfiles.d creates the folder')
})

t.test('a pid file other than the file that ctdbd writes is found', async (t) => {
  const { unit, look } = node(t, OLD)
  for (const pidFile of ['/run/ctdb/ctdbd.pid', '/var/run/ctdb/ctdbd.pid']) {
    unit(`[Service]\nPIDFile=${pidFile}\nRuntimeDirectory=ctdb\n`)
    t.match(await look(), GOOD, pidFile)
  }
  unit('[Service]\nPIDFile=/run/ctdbd.pid\nRuntimeDirectory=ctdb\n')
  const [found] = await look()
  t.match(found, {
    state: 'error',
    text: /^PIDFile=\/run\/ctdbd\.pid: ctdbd writes \/run\/ctdb\/ctdbd\.pid: /,
  })
  t.match(found?.remedy, /'\[Service\]' PIDFile=\/run\/ctdb\/ctdbd\.pid >/)
})

t.test('a unit that requires a nodes file is found when the nodes come from a command', async (t) => {
  const { dir, config, unit, look } = node(t, OLD)
  const nodes = join(dir, 'nodes')
  unit(`[Unit]\nConditionFileNotEmpty=${nodes}\n[Service]\nRuntimeDirectory=ctdb\n`)
  t.match(await look(), GOOD, 'no nodes file: another finding reports that')
  writeFileSync(config, '[cluster]\n\tnodes list = !/usr/bin/nodes-of x\n')
  const [found] = await look()
  t.match(found, {
    state: 'error',
    text: `ConditionFileNotEmpty=${nodes}: that is missing or empty, as ctdb.conf has "nodes list = !/usr/bin/nodes-of x": systemd passes over the start`,
  })
  writeFileSync(nodes, '')
  t.same(await look(), [found], 'the nodes file is empty')
  writeFileSync(nodes, '10.0.0.1\n')
  t.match(await look(), GOOD, 'a nodes file exists as well')
  rmSync(nodes)
  await execa('bash', ['-ec', (found?.remedy ?? 'false').replace(/ && systemctl daemon-reload$/, '')])
  t.match(await look(), GOOD, 'the remedy was pasted')
})
