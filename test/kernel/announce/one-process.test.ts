/** Without our event daemon each event is a process of its own; one process announces for all of them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { manyAddresses } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const needs = ['arping', 'flock']

async function takeAll(lab: Lab, addresses: readonly string[]): Promise<number[]> {
  const results = await Promise.all(addresses.map((address) => lab.script('takeip', 'eth0', address, '24')))
  return results.map(({ status }) => status ?? -1)
}

const zeros = (count: number) => Array.from({ length: count }, () => 0)

if (!(await prepareFile())) {
  inLab(
    'one process announces all addresses, each three times in two forms, and ends',
    { needs },
    async (t, lab) => {
      const many = manyAddresses('IPv4', 8)
      const wires = await Promise.all(many.map((address) => lab.observer.watch('lan', address)))
      t.same(await takeAll(lab, many), zeros(8))
      await waitFor('a single process', () => lab.announcers().length === 1)
      await waitFor('its end', () => lab.announcers().length === 0)
      t.same(
        wires.map((wire) => wire.seen().length),
        zeros(8).map(() => 6),
      )
      for (const { stop } of wires) stop()
    },
  )

  for (const { title, name } of [
    { title: 'is stopped goes on', name: 'SIGSTOP' },
    { title: 'was killed is replaced', name: 'SIGKILL' },
  ] as const)
    inLab(`an announcer that ${title}, and the next address is announced`, { needs }, async (t, lab) => {
      const [first = '', second = ''] = manyAddresses('IPv4', 2)
      const wire = await lab.observer.watch('lan', second)
      t.same(await takeAll(lab, [first]), [0])
      await waitFor('the announcer', () => existsSync(join(lab.dir, 'eventscript/announcer.socket')))
      for (const pid of lab.announcers()) process.kill(pid, name)
      t.same(await takeAll(lab, [second]), [0])
      await waitFor('three rounds', () => wire.seen().length === 6)
      await waitFor('the end of all', () => lab.announcers().length === 0)
      wire.stop()
    })
}
