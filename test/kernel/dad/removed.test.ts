/** Another program removes an address during its duplicate check, as a reload during a failover does. */
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { WAYS } from './conflict-lab.ts'

/** Deletes the address so many times, each as soon as it is there. */
function remove({ node }: Lab, times: number): void {
  const once = 'until ip addr del fd00::1/64 dev eth0 2>/dev/null; do sleep 0.02; done'
  void node.start('sh', '-c', Array.from({ length: times }, () => once).join('; '))
}

const nothing = await prepareFile()
if (!nothing)
  for (const { way, start } of WAYS)
    for (const event of ['takeip eth0', 'updateip eth1 eth0'])
      inLab(
        `${way}: ${event} adds an address that is removed during its check once more; twice is a failure`,
        { slowDad: true },
        async (t, lab) => {
          const runner = await start(lab, 'EVENTSCRIPT_DAD=default\n')
          const words = `${event} fd00::1 64`.split(' ') as [string, ...string[]]
          remove(lab, 1)
          const first = await runner.run(...words)
          t.ok(first.ok)
          t.match(
            first.said.filter((line) => !/Unable to determine/.test(line)),
            [
              'WARNING: somebody removed fd00::1 from eth0 while it was checked for duplicates: adding it again',
            ],
          )
          t.same(await lab.node.places('fd00::1'), ['eth0/64'])
          await lab.node.must('ip', 'addr', 'del', 'fd00::1/64', 'dev', 'eth0')
          remove(lab, 2)
          const second = await runner.run(...words)
          t.notOk(second.ok)
          t.match(second.said.join('\n'), 'Failed to add fd00::1/64 on dev eth0: somebody removed it twice')
        },
      )
