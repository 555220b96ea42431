/**
 * Control characters in every kind of file, in what programs print, and in every argument: none reaches the terminal, the log or
 * the journal of any command. Each text that is planted has a name, and most names must be seen: else nothing was tried.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import { commandsFor } from '../../../runner/bin/commands.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { DIST, SCRIPT } from '../../lab/paths.ts'
import { writeProgram } from '../../lab/stand-ins.ts'

const skip = await prepareFile()

/** A title for the window, colours by C1, text from right to left, a carriage return. */
const evil = (name: string) => `evil-${name}\u001b]0;t\u0007\u009b31m\u202e\rover`
const MADE_VISIBLE = String.raw`\u001b]0;t\u0007\u009b31m\u202e\u000dover`
/** The same without what ends a line for `.` of a regular expression. */
const bare = (name: string) => evil(name).replace('\r', '')
/** The first of what no output may have. */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

/** The words of each command that are tried; EVIL is an argument with control characters. */
const WORDS: Record<string, readonly string[]> = {
  run: [
    '--dry-run monitor',
    '--dry-run EVIL',
    '--dry-run takeip EVIL 10.0.0.1 24',
    '--dry-run takeip eth0 EVIL 24',
    '--dry-run takeip eth0 10.0.0.1 EVIL',
    '--only EVIL monitor',
    '--timeout EVIL monitor',
    '--record EVIL/EVIL monitor',
    '--trace --dry-run --events DIR/etc/events/legacy monitor',
    '--events DIR/etc/events/legacy monitor',
    '--events EVIL monitor',
  ],
  explain: ['monitor', 'takeip eth0 EVIL 24', 'EVIL', '--events DIR/etc/events/legacy monitor'],
  replay: [
    'EVIL',
    'DIR/recording',
    'DIR/cut',
    'DIR/no-recording',
    '--against DIR/recording',
    '--events EVIL DIR/recording',
  ],
  eventd: ['--pid EVIL', '--startup-fd EVIL', ''],
  install: ['--dry-run', '--dry-run EVIL'],
  uninstall: ['--dry-run'],
  history: ['', '--last EVIL', '-x EVIL', '-X'],
  status: ['monitor', 'EVIL', '--socket', '--socket EVIL'],
  top: [''],
  about: ['', '-X', '--timeout EVIL'],
  why: ['', 'EVIL', '10.0.0.1', '0', '--timeout EVIL'],
  list: ['--events DIR/etc/events/legacy', '--events EVIL', '-X --events DIR/etc/events/legacy'],
  ip: ['', '-X', '-x EVIL', '--timeout EVIL'],
  ifaces: ['', '-X', '--timeout EVIL'],
  nodes: ['', 'EVIL', '!DIR/bin/ctdb-nodes', '--compare DIR/other-nodes', '-X'],
  audit: ['', '-X', '--fix'],
  doctor: ['', '-X', '--events DIR/etc/events/legacy', '--events EVIL'],
  check: ['', '-w EVIL', '-c nodes=EVIL', '-X'],
  metrics: ['', 'EVIL', 'EVIL.prom', 'DIR/EVIL/x.prom'],
  cleanup: ['--dry-run', '--timeout EVIL', ''],
}

/** What some command prints: had it vanished, the test would try nothing. */
const SEEN =
  'argument list iface nodes recording recording-why cut bad-line handler output words because rival script stderr file interpreter'.split(
    ' ',
  )

/** Of every command: what yargs itself says about. */
const COMMON = ['--EVIL a b c d EVIL', '--json']

/** What is no command, and what yargs does before one. */
const OTHERS = [
  'EVIL',
  '--EVIL',
  '--help',
  'ip --help EVIL',
  'ip --json=EVIL',
  '--get-yargs-completions EVIL',
]

/** A script said this; today's run of the recording says what follows `out`. */
const recording = (name: string) => `eventscript recording 1
event monitor
handler 50.says
script /says monitor
  exit 1
  out ${bare(name)}
say otherwise
end failed
  why ${bare(`${name}-why`)}
`

function plantFiles(lab: Lab): void {
  lab.configure(
    'public_addresses',
    `10.0.0.1/24 eth0\n${evil('list')} eth0\n10.0.0.2/24 eth0,${evil('iface')}\n`,
  )
  lab.configure('nodes', `10.1.0.1\n${evil('nodes')}\n`)
  lab.configure('static-routes', `${evil('static')} 10.5.0.0/16 10.0.0.9\n`)
  lab.configure(
    'script.options',
    `EVENTSCRIPT_DAD="${evil('dad')}"\nEVENTSCRIPT_DDA=x\nCTDB_PARTIALLY_ONLINE_INTERFACES='${evil('option')}'\n`,
  )
  lab.configure('events/legacy/10.interface.options', `EVENTSCRIPT_IPV4_DAD='${evil('own-option')}'\n`)
  for (const [name, text] of [
    ['recording', `${recording('recording')}result failed\n`],
    ['cut', recording('cut')],
    ['no-recording', `${recording('none')}${evil('bad-line')}\n`],
    ['other-nodes', `10.1.0.1\n${evil('other-nodes')}\n`],
  ] as const)
    writeFileSync(join(lab.dir, name), text)
  const handler = {
    name: evil('handler'),
    outcome: 'failed',
    began: '',
    ms: 1,
    output: [`WARNING ${evil('output')}`],
  }
  const run = { event: 'monitor', words: [evil('words')], outcome: 'failed', began: '', ms: 1 }
  mkdirSync(join(lab.dir, 'eventscript'), { recursive: true })
  const history = { ...run, handlers: [{ ...handler, why: evil('because') }] }
  writeFileSync(join(lab.dir, 'eventscript/history.jsonl'), `${JSON.stringify(history)}\n`)
  writeFileSync(join(lab.dir, 'eventscript/parked'), `10.0.0.1 24 eth0 - ${bare('rival')}\n`)
  appendFileSync(join(lab.dir, 'var/my-public-ip-addresses'), `10.0.0.1\n${evil('hosted')}\n`)
}

function plantPrograms(lab: Lab): void {
  const says = `printf '%s\\n' '${evil('script')}'; printf '%s\\n' '${evil('stderr')}' >&2; exit 1`
  const folder = join(lab.dir, 'etc/events/legacy')
  writeProgram(join(folder, '50.says.script'), says)
  writeProgram(join(folder, `51.${evil('file').replaceAll('/', '')}.script`), 'exit 0')
  writeFileSync(join(folder, '52.broken.script'), `#!/none/${evil('interpreter').replace('\r', '')}\n`, {
    mode: 0o755,
  })
  writeProgram(
    join(lab.dir, 'bin/ctdb-nodes'),
    `echo 10.1.0.1; printf '%s\\n' '${evil('nodes-command')}' >&2; exit 1`,
  )
  for (const [question, head] of [
    ['ip_-v', '|Public IP|Node|ActiveInterface|AvailableInterfaces|ConfiguredInterfaces|'],
    ['ifaces', '|Name|LinkStatus|References|'],
  ] as const)
    lab.ctdbSays(question, `${head}\n${`|${evil('table')}`.repeat(head.split('|').length - 2)}|\n`)
  for (const question of ['status', 'nodestatus', 'ip', 'event_status_legacy_monitor', 'scriptstatus'])
    lab.ctdbSays(question, `${evil('ctdb')}\n`)
  lab.ctdbSays('pnn.fails', `${evil('pnn')}\n`)
}

/** An output without control characters; gives back the names that were seen in it. */
function clean(t: Test, what: string, text: string): string[] {
  const at = text.search(UNSEEN)
  t.equal(at, -1, `${what}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 20))}`)
  return [...text.matchAll(/evil-([a-z-]+)/g)].map(([, name = '']) => name)
}

inLab('no command prints a control character from outside', { skip }, async (t, lab) => {
  mkdirSync(join(lab.dir, 'etc/events/legacy'), { recursive: true })
  plantFiles(lab)
  plantPrograms(lab)
  await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
  const names = (await commandsFor(undefined)).map(({ usage }) => usage.split(' ', 1)[0] ?? '')
  t.same(Object.keys(WORDS).toSorted(), names.toSorted(), 'each command is tried')
  const seen = new Set<string>()
  const tries = [
    ...names.flatMap((name) => [...(WORDS[name] ?? []), ...COMMON].map((words) => `${name} ${words}`)),
    ...OTHERS,
  ]
  const one = async (words: string) => {
    const argv = words.split(' ').filter(Boolean)
    const made = argv.map((word) => word.replaceAll('DIR', lab.dir).replaceAll('EVIL', evil('argument')))
    const { out, err } = await lab.node.run(
      'timeout',
      '20',
      process.execPath,
      join(DIST, 'runner/main.js'),
      ...made,
    )
    for (const name of [...clean(t, words, out), ...clean(t, words, err)]) seen.add(name)
  }
  const queue = [...tries]
  const worker = async () => {
    for (let words = queue.shift(); words !== undefined; words = queue.shift()) await one(words)
  }
  await Promise.all(Array.from({ length: 4 }, worker))
  for (const name of SEEN) t.ok(seen.has(name), `evil-${name} was tried`)
  t.comment([...seen].toSorted().join(' '))
})

inLab(
  'nor do the daemon, the scripts and the announcer, on their output and in the log',
  { skip },
  async (t, lab) => {
    const said = `${lab.dir}/logged`
    lab.standIn('logger', `printf '%s\\n' "$@" >>'${said}'`)
    const outputs = [
      await lab.node.run(join(DIST, 'ctdb-eventd'), '-P', evil('argument')),
      await lab.node.run(join(DIST, 'ctdb-eventd'), evil('argument')),
      await lab.node.run(process.execPath, join(DIST, 'announce.cjs'), evil('argument')),
      await lab.node.run(process.execPath, join(DIST, 'announce.cjs'), '10.0.0.1', evil('argument'), 'usual'),
      await lab.node.run(SCRIPT, evil('argument')),
      await lab.node.run(SCRIPT, 'takeip', evil('argument'), '10.0.0.1', '24'),
      await lab.node.run(SCRIPT, 'takeip', 'eth0', evil('argument'), '24'),
    ]
    lab.configure('ctdb.conf', `[logging]\n  location = ${evil('location')}\n`)
    outputs.push(await lab.node.run('env', 'CTDB_TEST_MODE=yes', join(DIST, 'ctdb-eventd')))
    for (const { out, err } of outputs) {
      clean(t, 'output', out)
      clean(t, 'error', err)
    }
    t.match(outputs.map(({ out, err }) => out + err).join(''), MADE_VISIBLE)
    lab.configure('ctdb.conf', '')
    mkdirSync(join(lab.dir, 'etc/events/legacy'), { recursive: true })
    plantFiles(lab)
    plantPrograms(lab)
    const daemon = await lab.daemon()
    await daemon.run('monitor')
    await daemon.run('takeip', 'eth0', '10.0.0.1', '24')
    await daemon.run('takeip', evil('words').replaceAll(/\s/g, ''), '10.0.0.2', '24')
    await daemon.run('ipreallocated')
    await daemon.logged(/evil-/)
    await daemon.kill('SIGTERM')
    const seen = clean(t, 'log', daemon.log())
    for (const name of ['script', 'stderr', 'list']) t.ok(seen.includes(name), name)
    t.comment(
      [...new Set(seen)].join(' '),
      execFileSync('sh', ['-c', `cat ${said} 2>/dev/null || true`]).toString(),
    )
  },
)
