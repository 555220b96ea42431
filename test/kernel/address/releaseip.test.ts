import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAMILIES } from '../../lab/families.ts'
import { lines, warnings } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const KILLTCP = '/usr/libexec/ctdb/ctdb_killtcp'

if (!(await prepareFile()))
  for (const { family, ip, bits, otherBits, other, iptables, host } of FAMILIES) {
    const isV4 = family === 'IPv4'
    const nodad = isV4 ? [] : ['nodad']
    const put = (lab: Lab, place: string, address: string = ip) => {
      const [iface = '', mask = ''] = place.split('/')
      return lab.node.must('ip', 'addr', 'add', `${address}/${mask}`, 'dev', iface, ...nodad)
    }
    const rule = (iface: string) => ['INPUT', '-i', iface, '-d', ip, '-j', 'DROP']

    // ------------------------------------------------------------ releaseip

    inLab(`${family}: releaseip takes the address away and says nothing`, {}, async (t, lab) => {
      await put(lab, `eth0/${bits}`)
      t.strictSame(await lab.script('releaseip', 'eth0', ip, bits), { status: 0, out: '', err: '' })
      t.strictSame(await lab.node.places(ip), [])
      t.strictSame(await lab.node.dropRules(), [])
    })

    const disagreements = [
      { what: 'another interface', said: ['eth1', bits], says: 'hosted on interface eth0 but VNN says eth1' },
      {
        what: 'another mask',
        said: ['eth0', otherBits],
        says: `has ${bits} bit netmask but VNN says ${otherBits}`,
      },
      {
        what: 'another interface and mask',
        said: ['eth1', otherBits],
        says: `hosted on interface eth0 but VNN says eth1, and has ${bits} bit netmask but VNN says ${otherBits}`,
      },
      {
        what: 'no interface',
        said: ['__none__', bits],
        says: 'hosted on interface eth0 but VNN says __none__',
      },
      {
        what: 'an interface that is not there',
        said: ['eth7', bits],
        says: 'hosted on interface eth0 but VNN says eth7',
      },
    ]
    for (const { what, said, says } of disagreements)
      inLab(
        `${family}: where the daemon names ${what}, the address is released from where it is, with one WARNING`,
        {},
        async (t, lab) => {
          await put(lab, `eth0/${bits}`)
          const result = await lab.script('releaseip', said[0] ?? '', ip, said[1] ?? '')
          t.equal(result.status, 0)
          t.strictSame(lines(result), [`WARNING: Public IP ${ip} ${says}: releasing it from eth0/${bits}`])
          t.strictSame(await lab.node.places(ip), [])
        },
      )

    inLab(
      `${family}: an altname, and a name as brief ip writes it, are the interface's own`,
      {},
      async (t, lab) => {
        await lab.node.must('ip', 'link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp0s31f6')
        for (const name of ['enp0s31f6', 'eth0@if5']) {
          await put(lab, `eth0/${bits}`)
          t.strictSame(lines(await lab.script('releaseip', name, ip, bits)), [])
          t.strictSame(await lab.node.places(ip), [])
        }
      },
    )

    inLab(
      `${family}: an address that is nowhere is released with a WARNING, as often as asked`,
      {},
      async (t, lab) => {
        await put(lab, `eth0/${bits}`)
        t.strictSame(lines(await lab.script('releaseip', 'eth0', ip, bits)), [])
        for (const iface of ['eth0', '__none__']) {
          const again = await lab.script('releaseip', iface, ip, bits)
          t.equal(again.status, 0)
          t.match(lines(again), [`WARNING: Unable to determine interface for IP ${ip}`])
        }
        t.strictSame(await lab.node.dropRules(), [])
      },
    )

    inLab(`${family}: an address that is on two interfaces is released from both`, {}, async (t, lab) => {
      await put(lab, `eth0/${bits}`)
      await put(lab, `eth1/${otherBits}`)
      const result = await lab.script('releaseip', 'eth0', ip, bits)
      t.equal(result.status, 0)
      t.equal(warnings(result).length, 1)
      t.match(result.out, `releasing it from eth0/${bits} and eth1/${otherBits}`)
      t.strictSame(await lab.node.places(ip), [])
      t.strictSame(await lab.node.dropRules(), [])
    })

    inLab(`${family}: the other addresses of the subnet survive`, {}, async (t, lab) => {
      if (isV4)
        for (const name of ['all', 'eth0'])
          await lab.node.writeSysctl(`net/ipv4/conf/${name}/promote_secondaries`, 0)
      const third = other.replace(/2$/, '3')
      for (const address of [ip, other, third]) await put(lab, `eth0/${bits}`, address)
      t.strictSame(lines(await lab.script('releaseip', 'eth0', ip, bits)), [])
      t.strictSame(await lab.node.places(ip), [])
      t.strictSame(await lab.node.places(other), [`eth0/${bits}`])
      t.strictSame(await lab.node.places(third), [`eth0/${bits}`])
    })

    inLab(
      `${family}: a client's connection to a released address is reset, behind a firewall rule that then goes`,
      { needs: ['ss', iptables] },
      async (t, lab) => {
        await put(lab, `eth0/${bits}`)
        await lab.node.serve(ip, 445)
        const client = await lab.observer.connect(ip, 445)
        const during = join(lab.dir, 'during')
        lab.standIn(
          'ss',
          `case "$*" in *-K*) ${iptables} -w 3 -S INPUT >'${during}' ;; esac\nexec $real "$@"`,
        )
        const result = await lab.script('releaseip', 'eth0', ip, bits)
        t.equal(result.status, 0)
        t.strictSame(lines(result), [`Killed 1/1 TCP connections to released IP ${ip}, using ss -K`])
        await waitFor('the client to notice', () => client.events().length > 1)
        t.strictSame(client.events(), ['connected', 'ECONNRESET'])
        t.match(
          readFileSync(during, 'utf8'),
          `-A INPUT -d ${host} -i eth0 -m comment --comment eventscript -j DROP\n`,
        )
        t.strictSame(await lab.node.dropRules(), [])
      },
    )

    inLab(
      `${family}: CTDB's own ctdb_killtcp resets the client where the options ask for it`,
      {
        needs: ['ss'],
        ...(existsSync(KILLTCP) ? {} : { skip: `${KILLTCP} not found: install ctdb` }),
      },
      async (t, lab) => {
        lab.configure('script.options', 'CTDB_KILLTCP_USE_SS_KILL=no\n')
        await put(lab, `eth0/${bits}`)
        await lab.node.serve(ip, 2049)
        const client = await lab.observer.connect(ip, 2049)
        const result = await lab.script('releaseip', 'eth0', ip, bits)
        t.equal(result.status, 0)
        t.match(result.out, `Killed 1/1 TCP connections to released IP ${ip}, using ctdb_killtcp\n`)
        await waitFor('the client to notice', () => client.events().length > 1)
        t.strictSame(client.events(), ['connected', 'ECONNRESET'])
      },
    )

    inLab(`${family}: connections to other addresses go on`, { needs: ['ss'] }, async (t, lab) => {
      for (const address of [ip, other]) await put(lab, `eth0/${bits}`, address)
      await lab.node.serve(other, 445)
      const client = await lab.observer.connect(other, 445)
      t.strictSame(lines(await lab.script('releaseip', 'eth0', ip, bits)), [])
      client.speak()
      await waitFor('an answer', () => client.events().length > 1)
      t.strictSame(client.events(), ['connected', 'echo'])
    })

    inLab(
      `${family}: without ss, flock or a firewall the address is released all the same, each told with its package`,
      {},
      async (t, lab) => {
        for (const missing of ['ss', 'flock', iptables]) {
          await put(lab, `eth0/${bits}`)
          const programs = ['ip', 'ss', 'iptables', 'ip6tables', 'flock'].filter((name) => name !== missing)
          const result = await lab.scriptWithOnly(programs, 'releaseip', 'eth0', ip, bits)
          t.equal(result.status, 0, `without ${missing}`)
          t.match(warnings(result)[0], new RegExp(`WARNING: ${missing}\\b.*not found.*install `))
          t.strictSame(await lab.node.places(ip), [])
          t.strictSame(await lab.node.dropRules(), [])
        }
      },
    )

    inLab(
      `${family}: a DROP rule that a killed run has left is used once more and then gone, others stay`,
      { needs: [iptables] },
      async (t, lab) => {
        await put(lab, `eth0/${bits}`)
        await lab.node.serve(ip, 445)
        await lab.observer.connect(ip, 445)
        const unrelated = ['INPUT', '-s', other, '-j', 'DROP']
        await lab.node.must(iptables, '-A', ...unrelated)
        for (const iface of ['eth0', 'eth0', 'eth1']) await lab.node.must(iptables, '-A', ...rule(iface))
        const during = join(lab.dir, 'during')
        lab.standIn(
          'ss',
          `case "$*" in *-K*) ${iptables} -w 3 -S INPUT >'${during}' ;; esac\nexec $real "$@"`,
        )
        t.equal((await lab.script('releaseip', 'eth0', ip, bits)).status, 0)
        t.notOk(readFileSync(during, 'utf8').split(`-d ${host} -i eth0 `).length > 3, 'no third copy')
        const left = await lab.node.dropRules()
        t.equal(left.length, 1)
        t.match(left[0], `-s ${host.replace(ip, other)}`)
      },
    )

    inLab(
      `${family}: an address that cannot be deleted fails the event, and the clients are let in again`,
      {},
      async (t, lab) => {
        await put(lab, `eth0/${bits}`)
        lab.standIn(
          'ip',
          `case "$*" in *"addr del"*) echo "RTNETLINK answers: No buffer space available" >&2; exit 2 ;; esac\nexec $real "$@"`,
        )
        const result = await lab.script('releaseip', 'eth0', ip, bits)
        t.equal(result.status, 1)
        t.strictSame(lines(result), [
          `Failed to del ${ip}/${bits} on dev eth0: RTNETLINK answers: No buffer space available`,
        ])
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
        t.strictSame(await lab.node.dropRules(), [])
      },
    )

    // ------------------------------------------------------------ updateip

    inLab(
      `${family}: updateip moves the address, and its connections live on`,
      { needs: ['ss', isV4 ? 'arping' : 'ndptool'] },
      async (t, lab) => {
        await put(lab, `eth0/${bits}`)
        await lab.node.serve(ip, 445)
        const client = await lab.observer.connect(ip, 445)
        const result = await lab.script('updateip', 'eth0', 'eth1', ip, bits)
        t.equal(result.status, 0)
        t.equal(lines(result).filter((line) => line.startsWith('Tickle TCP connection ')).length, 2)
        t.equal(lines(result).length, 2)
        t.ok(lab.ctdbCalls().includes('tickle'))
        t.strictSame(await lab.node.places(ip), [`eth1/${bits}`])
        t.strictSame(await lab.node.dropRules(), [])
        client.speak()
        await waitFor('an answer', () => client.events().length > 1)
        t.strictSame(client.events(), ['connected', 'echo'])
      },
    )

    inLab(`${family}: updateip to where the address is says that it is redundant`, {}, async (t, lab) => {
      await put(lab, `eth1/${bits}`)
      const result = await lab.script('updateip', 'eth0', 'eth1', ip, bits)
      t.equal(result.status, 0)
      t.strictSame(lines(result), [
        `WARNING: Public IP ${ip} hosted on interface eth1 but VNN says eth0: it stays there`,
        `Redundant "updateip" - ${ip} already on eth1`,
      ])
      t.strictSame(await lab.node.places(ip), [`eth1/${bits}`])
    })

    inLab(
      `${family}: updateip to an interface that is not there leaves the address where it is`,
      {},
      async (t, lab) => {
        await lab.node.calm()
        await put(lab, `eth0/${bits}`)
        const before = await lab.node.state()
        const result = await lab.script('updateip', 'eth0', 'eth7', ip, bits)
        t.equal(result.status, 1)
        t.match(lines(result), [/^Failed to bringup interface eth7: there is no such interface/])
        t.equal(await lab.node.state(), before)
      },
    )

    inLab(
      `${family}: updateip puts the address back when the new interface refuses it`,
      {},
      async (t, lab) => {
        await put(lab, `eth0/${bits}`)
        lab.standIn(
          'ip',
          `case "$*" in *"addr add"*eth1*) echo "RTNETLINK answers: No buffer space available" >&2; exit 2 ;; esac\nexec $real "$@"`,
        )
        const result = await lab.script('updateip', 'eth0', 'eth1', ip, bits)
        t.equal(result.status, 1)
        t.strictSame(lines(result), [
          `Failed to add ${ip}/${bits} on dev eth1: RTNETLINK answers: No buffer space available`,
        ])
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`], 'usable at once')
        t.strictSame(await lab.node.dropRules(), [])
      },
    )

    for (const from of ['eth1', '__none__', 'eth7'])
      inLab(
        `${family}: updateip from ${from} moves the address from where it really is`,
        {},
        async (t, lab) => {
          await put(lab, `eth0/${bits}`)
          const result = await lab.script('updateip', from, 'eth1', ip, bits)
          t.equal(result.status, 0)
          t.strictSame(lines(result), [
            `WARNING: Public IP ${ip} hosted on interface eth0 but VNN says ${from}: moving it from eth0/${bits}`,
          ])
          t.strictSame(await lab.node.places(ip), [`eth1/${bits}`])
        },
      )

    inLab(`${family}: updateip uses the mask that it is given`, {}, async (t, lab) => {
      await put(lab, `eth0/${otherBits}`)
      const result = await lab.script('updateip', 'eth0', 'eth1', ip, bits)
      t.equal(result.status, 0)
      t.equal(warnings(result).length, 1)
      t.strictSame(await lab.node.places(ip), [`eth1/${bits}`])
    })

    inLab(
      `${family}: updateip of an address that is nowhere takes it, with a WARNING`,
      {},
      async (t, lab) => {
        const result = await lab.script('updateip', '__none__', 'eth1', ip, bits)
        t.equal(result.status, 0)
        t.match(lines(result), [`WARNING: Unable to determine interface for IP ${ip}`])
        t.strictSame(await lab.node.places(ip), [`eth1/${bits}`])
      },
    )

    // ------------------------------------------------------------ killed in the middle

    // what the stand-in kills is the handler: it is the parent of every program it runs
    const before = (words: string) =>
      `case "$*" in *"${words}"*) kill -9 $PPID; exit 1 ;; esac\nexec $real "$@"`
    const after = (words: string) =>
      `case "$*" in *"${words}"*) $real "$@"; kill -9 $PPID; exit 1 ;; esac\nexec $real "$@"`
    // the two families differ in little here: IPv4 is killed at every moment, IPv6 where it would hurt
    const most = <M extends { moment: string }>(all: M[]) =>
      all.filter(({ moment }) => isV4 || /deleted|added|connections/.test(moment))
    const moments = most([
      { moment: 'before it blocks', program: iptables, shell: before(' -I ') },
      { moment: 'when it has blocked', program: iptables, shell: after(' -I ') },
      { moment: 'while it ends connections', program: 'ss', shell: before('-K') },
      { moment: 'before it deletes the address', program: 'ip', shell: before('addr del') },
      { moment: 'when it has deleted the address', program: 'ip', shell: after('addr del') },
      { moment: 'before it unblocks', program: iptables, shell: before(' -D ') },
      { moment: 'when it has unblocked', program: iptables, shell: after(' -D ') },
    ])
    for (const { moment, program, shell } of moments)
      inLab(
        `${family}: a releaseip killed ${moment} can be run again`,
        { needs: ['ss', iptables] },
        async (t, lab) => {
          await put(lab, `eth0/${bits}`)
          await lab.node.serve(ip, 445)
          await lab.observer.connect(ip, 445)
          lab.standIn(program, shell)
          t.not((await lab.script('releaseip', 'eth0', ip, bits)).status, 0, 'it was killed')
          lab.noStandIn(program)
          t.equal((await lab.script('releaseip', 'eth0', ip, bits)).status, 0)
          t.strictSame(await lab.node.places(ip), [])
          t.strictSame(await lab.node.dropRules(), [])
        },
      )

    for (const { moment, program, shell } of most([
      ...moments.filter(({ program }) => program !== 'ss'),
      { moment: 'before it adds the address', program: 'ip', shell: before('addr add') },
      { moment: 'when it has added the address', program: 'ip', shell: after('addr add') },
    ]))
      inLab(
        `${family}: an updateip killed ${moment} can be run again`,
        { needs: [iptables], slowDad: true },
        async (t, lab) => {
          await put(lab, `eth0/${bits}`)
          lab.standIn(program, shell)
          t.not((await lab.script('updateip', 'eth0', 'eth1', ip, bits)).status, 0, 'it was killed')
          lab.noStandIn(program)
          t.equal((await lab.script('updateip', 'eth0', 'eth1', ip, bits)).status, 0)
          t.strictSame(await lab.node.places(ip), [`eth1/${bits}`])
          t.strictSame(await lab.node.dropRules(), [])
        },
      )

    for (const { moment, program, shell } of most([
      { moment: 'before it adds the address', program: 'ip', shell: before('addr add') },
      { moment: 'when it has added the address', program: 'ip', shell: after('addr add') },
      { moment: 'before it puts the address on the list', program: 'flock', shell: before('-w') },
    ]))
      inLab(`${family}: a takeip killed ${moment} can be run again`, { slowDad: true }, async (t, lab) => {
        lab.standIn(program, shell)
        t.not((await lab.script('takeip', 'eth0', ip, bits)).status, 0, 'it was killed')
        lab.noStandIn(program)
        t.strictSame(await lab.script('takeip', 'eth0', ip, bits), { status: 0, out: '', err: '' })
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
        t.equal(readFileSync(join(lab.dir, 'var/my-public-ip-addresses'), 'utf8'), `${ip}\n`)
      })
  }

if (!(await prepareFile())) {
  inLab(
    'IPv6: an updateip that was killed while the address was being checked for duplicates is not redundant',
    {},
    async (t, lab) => {
      await lab.node.writeSysctl('net/ipv6/neigh/eth1/retrans_time_ms', 4000)
      await lab.node.must('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'eth1')
      t.strictSame(await lab.node.places('fd00::1'), ['eth1/64 tentative'])
      const result = await lab.script('updateip', 'eth0', 'eth1', 'fd00::1', '64')
      t.equal(result.status, 0)
      t.notMatch(result.out, 'Redundant')
      t.strictSame(await lab.node.places('fd00::1'), ['eth1/64'], 'usable when it returns')
    },
  )
  inLab(
    'a dual-stack server: the connection of an IPv4 client to a released address is reset',
    { needs: ['ss'] },
    async (t, lab) => {
      await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
      await lab.node.serve('::', 445)
      const client = await lab.observer.connect('10.0.0.1', 445)
      const result = await lab.script('releaseip', 'eth0', '10.0.0.1', '24')
      t.strictSame(lines(result), ['Killed 1/1 TCP connections to released IP 10.0.0.1, using ss -K'])
      await waitFor('the client to notice', () => client.events().length > 1)
      t.strictSame(client.events(), ['connected', 'ECONNRESET'])
    },
  )
}
