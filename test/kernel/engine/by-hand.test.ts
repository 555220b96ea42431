/** What an admin does by hand: rehearse, explain, record, replay, look back. */
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { FAMILIES } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { DIST, MAIN, readOr, SCRIPT } from '../../lab/paths.ts'
import { readTranscript } from '../../../runner/machine/recording/read-transcript.ts'
import { toShell } from '../../../runner/machine/argv.ts'

/** All of a dry run's lines but the comments. */
const commandsOf = (out: string) => out.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

/**
 * What a recording changed, in its order: the words of programs, the paths of files; and the files that the kernel
 * would not let us write (a namespace of an ordinary user has sysctls that only the machine's root may set).
 */
function changesOf(recording: string): { done: string[]; refused: string[] } {
  const { entries } = readTranscript(recording)
  const writes = entries.filter((entry) => entry.verb === 'write')
  const refused = writes.filter(({ trouble }) => trouble).map(({ path }) => path)
  const done = entries.flatMap((entry) => {
    if (entry.verb === 'change') return [toShell(entry.argv)]
    return entry.verb === 'write' && !entry.trouble ? [entry.path] : []
  })
  return { done, refused }
}

/** The same of a dry run's lines. */
const asChange = (line: string) =>
  / >(\S+)$/.exec(line)?.[1] ?? line.replace(/^printf .*? \| /, '').replace(/ &$/, '')

/** The machine, and all that the handlers keep. */
async function everything(lab: Lab): Promise<string> {
  const state = await lab.node.run('sh', '-c', `cd '${lab.dir}' && find var etc -type f | sort | xargs cat`)
  const sysctls = await lab.node.run(
    'sh',
    '-c',
    'grep -r . /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf 2>/dev/null',
  )
  return (await lab.node.state()) + state.out + sysctls.out
}

const nothing = await prepareFile()
if (!nothing) {
  for (const { family, ip, bits, otherBits, observer } of FAMILIES) {
    const events: [string, string[], (lab: Lab) => Promise<unknown>][] = [
      ['takeip', ['eth0', ip, bits], () => Promise.resolve()],
      [
        'takeip',
        ['eth0', ip, bits],
        (lab) => lab.node.must('ip', 'addr', 'add', `${ip}/${otherBits}`, 'dev', 'eth1'),
      ],
      [
        'releaseip',
        ['__none__', ip, bits],
        (lab) => lab.node.must('ip', 'addr', 'add', `${ip}/${otherBits}`, 'dev', 'eth1'),
      ],
      ['updateip', ['eth0', 'eth1', ip, bits], (lab) => lab.script('takeip', 'eth0', ip, bits)],
      ['init', [], (lab) => lab.node.must('ip', 'addr', 'add', `${ip}/${otherBits}`, 'dev', 'eth1')],
      ['shutdown', [], (lab) => lab.script('takeip', 'eth0', ip, bits)],
      ['monitor', [], (lab) => lab.node.must('ip', 'link', 'set', 'eth1', 'down')],
    ]
    for (const [i, [event, words, prepare]] of events.entries())
      inLab(
        `${family}: a dry run of ${event} (${i}) changes nothing and prints what the real run then does, in order`,
        { needs: ['iptables', 'ss', 'arping', 'ndptool'] },
        async (t, lab) => {
          await lab.node.calm()
          await prepare(lab)
          if (event !== 'monitor') await lab.node.calm()
          const before = await everything(lab)
          const history = readOr(join(lab.dir, 'eventscript/history.jsonl'))
          const dry = await lab.eventscript('run', '--dry-run', event, ...words)
          t.equal(dry.status, 0, dry.out + dry.err)
          t.equal(await everything(lab), before, 'byte for byte as before')
          t.equal(
            readOr(join(lab.dir, 'eventscript/history.jsonl')),
            history,
            'no history of what did not happen',
          )
          const record = join(lab.dir, 'recording')
          const real = await lab.eventscript('run', '--overwrite', '--record', record, event, ...words)
          t.equal(real.status, 0, real.out + real.err)
          const { done, refused } = changesOf(readFileSync(record, 'utf8'))
          t.same(
            commandsOf(dry.out)
              .map(asChange)
              .filter((change) => !refused.includes(change)),
            done,
          )
          t.ok(done.length > 0)
        },
      )

    inLab(
      `${family}: the commands of a dry run can be pasted, and do it`,
      { needs: ['iptables'] },
      async (t, lab) => {
        await lab.node.must('ip', 'addr', 'add', `${ip}/${otherBits}`, 'dev', 'eth1')
        await lab.node.calm()
        const dry = await lab.eventscript('run', '--dry-run', 'releaseip', '__none__', ip, bits)
        const pasted = await lab.node.run('sh', '-c', dry.out)
        t.notMatch(pasted.err, /^(?!.*route\/flush).+$/m, 'only a real root may flush route caches')
        t.same(await lab.node.places(ip), [])
      },
    )

    inLab(
      `${family}: a dry run with connections to end prints how, and ends none`,
      { needs: ['iptables', 'ss'] },
      async (t, lab) => {
        await lab.script('takeip', 'eth0', ip, bits)
        await lab.node.serve(ip, 4000)
        const client = await lab.observer.connect(ip, 4000)
        const dry = await lab.eventscript('run', '--dry-run', 'releaseip', 'eth0', ip, bits)
        t.match(commandsOf(dry.out).slice(0, 2), [/iptables|ip6tables/, /^ss -K /])
        t.notMatch(dry.out, /ctdb_killtcp/, 'taken to have worked')
        const { out } = await lab.node.run('ss', '-tnH', 'state', 'established', 'src', `[${ip}]`)
        t.match(out, observer, 'still connected')
        t.ok(client)
      },
    )

    inLab(`${family}: a recording replays as nobody, without PATH, and redacted too`, {}, async (t, lab) => {
      await lab.node.must('ip', 'addr', 'add', `${ip}/${otherBits}`, 'dev', 'eth1')
      const place = mkdtempSync(join(tmpdir(), 'eventscript-replay-'))
      chmodSync(place, 0o755)
      const record = join(place, 'plain.txt')
      await lab.eventscript('run', '--overwrite', '--record', record, 'releaseip', 'eth0', ip, bits)
      await lab.node.must('ip', 'addr', 'add', `${ip}/${otherBits}`, 'dev', 'eth1')
      const hidden = join(place, 'hidden.txt')
      const mac = (await lab.node.must('cat', '/sys/class/net/eth1/address').catch(() => '')).trim()
      await lab.eventscript(
        'run',
        '--overwrite',
        '--record',
        hidden,
        '--redact',
        'releaseip',
        'eth0',
        ip,
        bits,
      )
      const text = readFileSync(hidden, 'utf8')
      t.notOk(text.includes(ip), 'the address is hidden')
      if (mac) t.notOk(text.includes(mac), 'and so is the MAC')
      for (const file of [record, hidden]) {
        // the admin hands on what is theirs alone
        chmodSync(file, 0o644)
        const { stdout, exitCode } = await asNobody(place, 'replay', file)
        t.equal(exitCode, 0, stdout)
        t.match(stdout, /10\.interface +OK/)
        t.match(stdout, /WARNING: Public IP .* hosted on interface eth1 but VNN says eth0/)
        t.match(stdout, /as recorded$/)
      }
      rmSync(place, { recursive: true })
    })

    inLab(
      `${family}: explain says what was found, each decision with its reason, and the commands`,
      {},
      async (t, lab) => {
        await lab.node.must('ip', 'addr', 'add', `${ip}/${otherBits}`, 'dev', 'eth1')
        const { status, out } = await lab.eventscript('explain', 'releaseip', 'eth0', ip, bits)
        t.equal(status, 0)
        t.match(
          out,
          `${ip} is on eth1/${otherBits}, the daemon said eth0/${bits}: releasing it from eth1/${otherBits}`,
        )
        t.match(out, `$ ip addr del ${ip}/${otherBits} dev eth1`)
        t.match(out, `looks at: ip -json addr show to ${ip}`)
        t.same(await lab.node.places(ip), [`eth1/${otherBits}`], 'and nothing was done')
      },
    )
  }

  inLab('explain monitor says why the node is, or would be, unhealthy', {}, async (t, lab) => {
    t.match(await lab.eventscript('explain', 'monitor'), {
      status: 1,
      out: /\n {2}OK\n[^]*\nIt is not known whether this node is healthy: .*eventd\.socket: no such socket/,
    })
    await lab.observer.must('ip', 'link', 'set', 'port-eth1', 'down')
    const { status, out } = await lab.eventscript('explain', 'monitor')
    t.equal(status, 1)
    t.match(out, /eth0 has a link/)
    t.match(out, /ERROR: No link on the public network interface eth1/)
    t.match(out, /1 of 2 interfaces have a link, CTDB_PARTIALLY_ONLINE_INTERFACES is no/)
    t.match(out, /This node is UNHEALTHY/)
    t.same(
      lab.ctdbCalls().filter((call) => call.startsWith('setifacelink')),
      [],
      'the daemon was told nothing',
    )
  })

  inLab(
    '--trace prints what is asked and changed; --json of a dry run and of explain is JSON',
    {},
    async (t, lab) => {
      const traced = await lab.eventscript('run', '--trace', 'takeip', 'eth0', '10.0.0.1', '24')
      t.match(traced.err, /^ask ip -json addr show$/m)
      t.match(traced.err, /^change ip addr add 10.0.0.1\/24 brd \+ dev eth0$/m)
      t.match(traced.out, /^10\.interface +OK/)
      for (const words of [['run', '--dry-run'], ['explain']]) {
        const { out } = await lab.eventscript(...words, '--json', 'releaseip', 'eth0', '10.0.0.1', '24')
        const report = JSON.parse(out) as { handlers: { name: string }[] }
        t.match(report, { event: 'releaseip', outcome: 'ok' })
        t.equal(report.handlers[0]?.name, '10.interface')
      }
    },
  )

  inLab('a recording that is cut short is read up to there, and says so', {}, async (t, lab) => {
    const record = join(lab.dir, 'recording')
    await lab.eventscript('run', '--overwrite', '--record', record, 'takeip', 'eth0', '10.0.0.1', '24')
    const whole = readFileSync(record, 'utf8')
    const cut = join(lab.dir, 'cut')
    writeFileSync(cut, whole.slice(0, Math.floor(whole.length * 0.8)))
    const { status, out, err } = await lab.eventscript('replay', cut)
    t.equal(status, 1)
    t.match(out + err, /cut short/)
    t.notMatch(out + err, /\n {4}at /, 'no stack')
    writeFileSync(cut, whole.replace('\nask ', '\nxsk '))
    const damaged = await lab.eventscript('replay', cut)
    t.match(damaged, { status: 1, err: /cut: line \d+: "xsk ip/ })
  })

  inLab(
    'replay shows both sides of what differs: asked for but not recorded, and left over',
    {},
    async (t, lab) => {
      const record = join(lab.dir, 'recording')
      await lab.eventscript('run', '--overwrite', '--record', record, 'releaseip', 'eth0', '10.0.0.1', '24')
      const whole = readFileSync(record, 'utf8')
      const other = join(lab.dir, 'other')
      writeFileSync(other, whole.replace('addr show to 10.0.0.1', 'addr show to 10.0.0.9'))
      t.match(await lab.eventscript('replay', '--against', record, other), {
        status: 1,
        out: /recording: releaseip .*: as recorded\n[^]*other: .*NOT AS RECORDED\n[^]*asked now: ask ip -json addr show to 10.0.0.1\n[^]*recorded: +ask ip -json addr show to 10.0.0.9/,
      })
      writeFileSync(
        other,
        whole.replace(/^end ok\nresult/m, 'ask ip -json addr show\n  exit 0\n  out []\nend ok\nresult'),
      )
      t.match(await lab.eventscript('replay', '--against', other), {
        status: 1,
        out: /asked now: nothing more\n[^]*recorded: +ask ip -json addr show/,
      })
    },
  )

  inLab('an event goes on to its end when nobody can read what it says', {}, async (t, lab) => {
    const released = async (program: string, to: string) => {
      await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth1')
      await lab.node.run('bash', '-c', `${program} releaseip eth0 10.0.0.1 24 ${to}`)
      return await lab.node.places('10.0.0.1')
    }
    for (const program of [SCRIPT, `${process.execPath} ${MAIN} run --trace`])
      for (const to of ['>/dev/full 2>&1', '> >(true) 2>&1', '>&- 2>&-'])
        t.strictSame(await released(program, to), [], `${program} ${to}`)
  })

  inLab(
    'the node remembers its runs: history, status in the manner of ctdb, and JSON',
    {},
    async (t, lab) => {
      t.match(await lab.eventscript('history'), { status: 0, out: /^no runs in .*history\.jsonl: / })
      t.match(await lab.eventscript('status'), {
        status: 1,
        err: /: Event monitor: .*history\.jsonl has no run of it: "eventscript status --socket monitor" asks/,
      })
      await lab.eventscript('run', 'takeip', 'eth0', '10.0.0.1', '24')
      await lab.eventscript('run', 'takeip', 'nosuch', '10.0.0.1', '24')
      await lab.eventscript('run', 'monitor')
      const history = lines(await lab.eventscript('history'))
      t.equal(history.length, 4)
      t.match(history, [
        /OK .* takeip eth0 10.0.0.1 24$/,
        /FAILED .* takeip nosuch/,
        /10.interface: Failed to bringup/,
        /OK .* monitor$/,
      ])
      t.equal(lines(await lab.eventscript('history', '--last', '1')).length, 1)
      t.match(await lab.eventscript('status', 'takeip'), {
        status: 1,
        out: /^10\.interface {9}FAILED +\d+\.\d{3} \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n {2}OUTPUT: Failed to bringup interface nosuch/,
      })
      t.match(await lab.eventscript('status'), { status: 0, out: /^10\.interface {9}OK / })
      const { out } = await lab.eventscript('history', '--json')
      const runs = JSON.parse(out) as { event: string; handlers: { name: string; output: string[] }[] }[]
      t.same(
        runs.map(({ event }) => event),
        ['takeip', 'takeip', 'monitor'],
      )
      t.match(runs[0]?.handlers[0], { name: '10.interface', output: [] })
      const file = join(lab.dir, 'eventscript/history.jsonl')
      appendFileSync(file, '{"event":"cut by a full di')
      await lab.eventscript('run', 'setup')
      t.match(lines(await lab.eventscript('history')).at(-1), / setup$/, 'a line that was cut costs no other')
      rmSync(file)
      mkdirSync(file)
      t.match(await lab.eventscript('history'), {
        status: 1,
        err: /^eventscript: cannot read .*directory.*\n$/,
      })
    },
  )
}

/** The program as nobody with an empty PATH, out of a copy that nobody may read; as we are where we are not root. */
async function asNobody(place: string, ...words: string[]) {
  const copy = join(place, 'eventscript')
  if (!existsSync(copy)) {
    for (const folder of ['dist/runner', 'dist/events.d'])
      cpSync(join(DIST, '..', folder), join(copy, folder), { recursive: true })
    cpSync(join(DIST, '../package.json'), join(copy, 'package.json'))
    cpSync(join(DIST, '../node_modules'), join(copy, 'node_modules'), {
      recursive: true,
      filter: (path) =>
        !/node_modules\/(?:typescript|@typescript|esbuild|@esbuild|ox|@ox|tap|@tap|fast-check)/.test(path),
    })
  }
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const main = MAIN.replace(DIST, `${join(copy, 'dist')}/`)
  return await execa(process.execPath, [main, ...words], {
    ...user,
    reject: false,
    extendEnv: false,
    env: { PATH: '' },
  })
}
