/** A program that hangs after a one-shot takeip, when no event's deadline ends it: it is ended, and the announcer goes on. */
import { FAMILIES } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const PROGRAMS = { IPv4: 'arping', IPv6: 'ndptool' } as const

for (const { family, ip, bits } of (await prepareFile()) ? [] : FAMILIES) {
  const program = PROGRAMS[family]
  inLab(
    `${family}: ${program} hangs once: the address is announced, and nothing stays`,
    { needs: [program, 'perl'] },
    async (t, lab) => {
      const once = `[ "$1" = -V ] || ! mkdir ${lab.dir}/hung 2>/dev/null || { trap '' TERM; sleep 600; }`
      lab.standIn(program, `${once}; exec $real "$@"`)
      const wire = await lab.observer.watch('lan', ip)
      t.same(lines(await lab.script('takeip', 'eth0', ip, bits)), [])
      const left = () =>
        lab.processes().filter(({ command }) => command.trim() !== 'cat' && !command.startsWith('perl'))
      await waitFor('the announcement to begin', () =>
        left().some(({ command }) => command.startsWith('sleep')),
      )
      await waitFor('everything to end', () => left().length === 0, 120)
      await waitFor('the announcements to be seen', () => wire.seen().length > 1)
      t.same(await lab.node.places(ip), [`eth0/${bits}`])
    },
  )
}
