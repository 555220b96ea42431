/** iptables over nf_tables and the older one have rules of their own; and a rule of ours that somebody else removes. */
import { FAMILIES } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'

interface Found {
  faults: { kind: string; subject: string; seen: string; repair: string }[]
  repairs: { outcome: string; said: string[] }[]
}

async function audit(lab: Lab, ...words: string[]): Promise<Found> {
  return JSON.parse((await lab.eventscript('audit', '--json', ...words)).out) as Found
}

async function isNft({ node }: Lab, program: string): Promise<boolean> {
  return (await node.must(program, '-V')).includes('nf_tables')
}

for (const { family, ip, bits, iptables } of (await prepareFile()) ? [] : FAMILIES) {
  inLab(
    `${family}: a rule that only the other form of iptables lists is found by audit and doctor, and taken out`,
    { needs: [iptables, `${iptables}-nft`, `${iptables}-legacy`] },
    async (t, lab) => {
      const [other, ours] = (await isNft(lab, iptables)) ? ['legacy', 'nft'] : ['nft', 'legacy']
      const program = `${iptables}-${other}`
      const rule = ['INPUT', '-i', 'eth0', '-d', ip, '-j', 'DROP']
      await lab.node.must(`${iptables}-${ours}`, '-S', 'INPUT')
      await lab.node.must(program, '-I', ...rule)
      const { faults } = await audit(lab)
      t.match(faults, [
        {
          kind: 'drop-rule',
          subject: ip,
          seen: `a leftover rule of ${program} drops packets for it on eth0`,
          repair: new RegExp(`${program} -w 3 -D INPUT -i eth0 -d ${ip} -j DROP$`),
        },
      ])
      const { out } = await lab.eventscript('doctor', '-X')
      t.match(
        out,
        new RegExp(
          `\\|warning\\|iptables\\|${program}\\|1 rule for arriving packets that ${iptables} does not list`,
        ),
      )
      t.match((await audit(lab, '--fix')).repairs, [{ outcome: 'ok', said: [] }])
      t.equal((await lab.node.run(program, '-C', ...rule)).status, 1, 'it is gone')
    },
  )

  inLab(
    `${family}: a rule that a reload of the firewall removed in mid-release is one WARNING`,
    { needs: [iptables] },
    async (t, lab) => {
      await lab.node.must(
        'ip',
        'addr',
        'add',
        `${ip}/${bits}`,
        'dev',
        'eth0',
        ...(ip.includes(':') ? ['nodad'] : []),
      )
      lab.standIn('ip', `case "$*" in *"addr del"*) ${iptables} -F INPUT ;; esac; exec $real "$@"`)
      const { status, out, err } = await lab.script('releaseip', 'eth0', ip, bits)
      t.equal(status, 0)
      t.equal(
        `${out}${err}`,
        `WARNING: the rule that blocked ${ip} on eth0 had gone before its time: has somebody reloaded the firewall? Clients may have been reset\n`,
      )
    },
  )
}
