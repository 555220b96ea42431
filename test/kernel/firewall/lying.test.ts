/** An iptables that prints half of its list, or garbage, and succeeds: that is no answer, and never "no rule". */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import { MAIN } from '../../lab/paths.ts'
import { folderWith } from '../../lab/stand-ins.ts'

/** What it prints in place of the list. */
const LIES = {
  nothing: ':',
  'half a line': 'printf "%s" "-P INP"',
  garbage: 'echo "Segmentation fault"',
}

for (const { family, ip, bits, iptables } of (await prepareFile()) ? [] : FAMILIES)
  for (const [lie, shell] of Object.entries(LIES))
    inLab(
      `${family}: ${iptables} prints ${lie}: a WARNING, and monitor looks again`,
      { needs: [iptables, `${iptables}-save`] },
      async (t, lab) => {
        await lab.node.must(iptables, '-A', 'INPUT', '-i', 'eth0', '-d', ip, '-j', 'DROP')
        const noted = join(lab.dir, 'eventscript/blocked')
        lab.standIn(iptables, `case "$*" in *' -S '*) ${shell}; exit 0 ;; esac; exec $real "$@"`)
        const take = await lab.script('takeip', 'eth0', ip, bits)
        t.equal(take.status, 0)
        t.match(
          take.out,
          /^WARNING: whether a rule of \S+ blocks .* no whole list of rules: .*next monitor looks again/m,
        )
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
        t.equal(readFileSync(noted, 'utf8'), `${ip}\n`)
        const { status, out, err } = await lab.eventscript('audit')
        t.equal(status, 1)
        t.match(`${out}${err}`, /whether a rule of \S+ blocks what arrives cannot be seen/)

        const release = await lab.script('releaseip', 'eth0', ip, bits)
        t.equal(release.status, 0)
        t.match(
          release.out,
          /^WARNING: cannot block \S+ on eth0: it printed no whole list.*: it goes unblocked/m,
        )
        t.strictSame(await lab.node.places(ip), [])

        lab.standIn(iptables, 'exec $real "$@"')
        t.equal((await lab.script('monitor')).status, 0)
        t.strictSame(await lab.node.dropRules(), [])
        t.equal(existsSync(noted) ? readFileSync(noted, 'utf8') : '', '')
      },
    )

inLab('audit without iptables says what could not be looked at', {}, async (t, lab) => {
  lab.configure('public_addresses', '10.0.0.1/24 eth0\n')
  const only = folderWith(lab.dir, ['ip', 'sh', 'flock', 'ss', 'cat', 'ctdb'])
  const { status, out, err } = await lab.node.run('env', `PATH=${only}`, process.execPath, MAIN, 'audit')
  t.equal(status, 1)
  t.match(`${out}${err}`, /iptables not found in PATH: whether a rule blocks an address is not known/)
})
