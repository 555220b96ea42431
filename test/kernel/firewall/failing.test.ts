/** A program of the firewall that fails or is killed, before its work or after it, leaves no rule for ever. */
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'

type Run = (event: string, ...words: string[]) => Promise<number>

const WAYS: Record<string, (lab: Lab) => Promise<Run>> = {
  'one-shot': (lab) => Promise.resolve(async (...words) => (await lab.script(...words)).status),
  resident: async (lab) => {
    const daemon = await lab.daemon()
    return (...words) => daemon.run(...words)
  },
}

const ENDS = { fails: 'exit 1', 'is killed': 'kill -KILL $$' }

for (const [way, start] of (await prepareFile()) ? [] : Object.entries(WAYS))
  for (const { family, ip, bits, iptables } of FAMILIES)
    for (const [how, end] of Object.entries(ENDS)) {
      const wrong = (lab: Lab, verb: string, work = '') =>
        lab.standIn(iptables, `case "$*" in *" ${verb} "*) ${work} ${end} ;; esac; exec $real "$@"`)
      const title = `${way}, ${family}: ${iptables} ${how}`

      inLab(`${title} after it has put the rule in`, { needs: [iptables] }, async (t, lab) => {
        const run = await start(lab)
        for (const words of [
          ['updateip', 'eth0', 'eth1'],
          ['releaseip', 'eth1'],
        ] as const) {
          lab.noStandIn(iptables)
          t.equal(await run('takeip', 'eth0', ip, bits), 0)
          wrong(lab, '-I', '$real "$@";')
          const [event, ...ifaces] = words
          t.equal(await run(event, ...ifaces, ip, bits), 0)
          t.strictSame(await lab.node.dropRules(), [], `after ${event}`)
        }
      })

      inLab(`${title} when it should list the rules`, { needs: [iptables] }, async (t, lab) => {
        const run = await start(lab)
        const ours = ['-i', 'eth1', '-d', ip, '-m', 'comment', '--comment', 'eventscript', '-j', 'DROP']
        for (const event of ['takeip', 'releaseip']) {
          await lab.node.must(iptables, '-I', 'INPUT', ...ours)
          wrong(lab, '-S')
          t.equal(await run(event, 'eth0', ip, bits), 0)
          lab.noStandIn(iptables)
          t.equal(await run('monitor'), 0)
          t.strictSame(await lab.node.dropRules(), [], `after ${event}, the next monitor looks`)
        }
      })
    }
