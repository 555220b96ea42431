/** Secrets planted in each kind of step and note of a recording: none is left by `--redact`. */
import * as fc from 'fast-check'
import t from '../tap.ts'
import { asRedacted } from './as-redacted.ts'
import { redactor } from '../../runner/machine/recording/redact/redact.ts'
import { type Note, type Step } from '../../runner/machine/recording/transcript.ts'

const OPTIONS = '/etc/ctdb/script.options'

/** The recording of these steps and notes, as `run --record FILE --redact` writes it. */
function written(...entries: (Step | Note)[]): string {
  return asRedacted(entries, redactor('web1.corp.example'))
}

const shell = (answer: { status: number; out?: string; err?: string }): Step => ({
  verb: 'ask',
  argv: ['sh', '-c', 'TEXT', 'sh', OPTIONS],
  how: 'run',
  answer: { out: '', err: '', ...answer },
})

void t.test('what options files say to others is left out, what we read stays', (test) => {
  const text = `# ask bob@corp
CTDB_LVS_NODES="/etc/n" # of bob
PASSWORD=hunter2
OTHER='hunter2!'
X="$(cat hunter2)"
CTDB_LVS_NODE=/etc/n # near
EVENTSCRIPT_DAD = fast # bob
`
  const file = written({ verb: 'read', path: OPTIONS, text })
  const lines = file.split('\n').flatMap((line) => /^ {2}out (.*)/.exec(line)?.[1] ?? [])
  test.same(lines, [
    '#',
    'CTDB_LVS_NODES="/etc/n"',
    'LEFT_OUT=',
    'LEFT_OUT=',
    ': left out',
    'CTDB_LVS_NODE=/etc/n',
    'EVENTSCRIPT_DAD = fast',
  ])
  const shown = written(
    shell({ status: 0, out: 'CTDB_LVS_NODES=/etc/n\nCTDB_PASSWORD=hunter2\n# all\n', err: 'sh: hunter2\n' }),
  )
  test.match(shown, '  out CTDB_LVS_NODES=/etc/n\n  out # all\n')
  test.notMatch(shown, /hunter2|PASSWORD/)
  test.end()
})

void t.test(
  'a shell that cannot read the options may quote any line: so may the reason of the failure',
  (test) => {
    const err = `sh: 3: ${OPTIONS}: PASSWORD=hunter2: bad\nsh: hunter2\n`
    const why = `${OPTIONS}: the shell cannot read it: ${err.trim()}`
    const text = written(shell({ status: 2, err }), { verb: 'end', outcome: 'failed', why })
    test.notMatch(text, /hunter2|PASSWORD/)
    test.match(text, '  err left out\n')
    test.match(text, `the shell cannot read it: left out`)
    test.end()
  },
)

void t.test('comments of lists are left out, also where a message quotes them; entries stay', (test) => {
  const list = `# bob's\n10.9.0.1/24 eth#0,eth1\t# rack "7"\n#10.1.0.3\n\n`
  const note: Note = {
    verb: 'say',
    text: `line 2: ${JSON.stringify('eth1\t# rack "7"')}: bad; eth1 # rack "7"`,
  }
  const paths = [
    '/etc/ctdb/public_addresses',
    '/etc/ctdb/nodes',
    '/etc/ctdb/static-routes',
    '/etc/iproute2/rt_tables',
  ]
  for (const path of paths) {
    const text = written({ verb: 'read', path, text: list }, { verb: 'write', path, text: list }, note)
    test.notMatch(text, /bob|rack|"7"/, path)
    test.match(text, / eth#0,eth1\t# left out\n/, path)
    test.match(text, /^ +out #198\.\d+/m, 'a deleted node is still one')
  }
  test.end()
})

void t.test('what executables say is left out, line by line; names of rules and devices too', (test) => {
  const script = (out: string): Step => ({
    verb: 'change',
    argv: ['/etc/ctdb/events/legacy/50.samba.script', 'monitor'],
    how: 'script',
    answer: { status: 1, out, err: '' },
  })
  const said = (text: string): Note => ({ verb: 'say', text })
  const handler = (name: string): Note => ({ verb: 'handler', name })
  const text = written(
    handler('50.samba'),
    script('hunter2\n\nbob\n'),
    said('hunter2'),
    said('bob'),
    handler('10.interface'),
    said('ours'),
  )
  test.notMatch(text, /hunter2|bob/)
  test.equal(text.split('say left out\n').length, 3)
  test.match(text, 'say ours\n')
  const ask = (argv: string[], out: string): Step => ({
    verb: 'ask',
    argv,
    how: 'run',
    answer: { status: 0, out, err: '' },
  })
  const rules = `-A INPUT -m comment --comment "bob's \\" hunter2" -j ACCEPT\n-A INPUT -m comment --comment bob -j DROP\n-A INPUT -d 192.0.2.0/32 -i eth0 -m comment --comment eventscript -j DROP\n`
  const listed = written(ask(['iptables', '-w', '3', '-S', 'INPUT'], rules))
  test.notMatch(listed, /hunter2|bob/)
  test.match(listed, '-m comment --comment eventscript -j DROP')
  const links = '[{"ifname":"eth0","ifalias":"bob\'s \\u001b \\" rack","mtu":1500}]\n'
  const shown = written(ask(['ip', '-json', 'link'], links))
  test.notMatch(shown, /bob|rack/)
  test.match(shown, '"mtu":1500')
  test.end()
})

const PLANTED = [
  '10.77.1.2',
  'fd77::abcd',
  '52:54:00:12:34:56',
  'web1',
  'web1.corp.example',
  'web1.other.example',
] as const
const AROUND = ['', ' ', ': ', '_', ',', '/24', '"', "'", ')', '@', '=', ';', '\n', '\t'] as const
const LEFT = /77\.1\.2|fd77|abcd|54:00:12|web1|corp|other/i

/** Each kind of step and note, with a text in each of its parts. */
function everyKind(said: string): (Step | Note)[] {
  const answer = { status: 0, out: said, err: said }
  const command = (verb: 'ask' | 'change', how: 'run' | 'start' | 'script'): Step => ({
    verb,
    argv: ['ip', said],
    how,
    input: said,
    answer,
  })
  const troubles = (['file', 'program', 'busy'] as const).map((kind): Step => ({
    verb: 'read',
    path: '/x',
    trouble: { kind, code: said },
  }))
  return [
    { verb: 'handler', name: said },
    { verb: 'read', path: `/x/${said}`, text: said },
    { verb: 'read', path: '/x', text: said },
    { verb: 'read', path: `/x/${said}`, absent: true },
    { verb: 'read', path: '/etc/ctdb/script.options', text: said },
    ...troubles,
    { verb: 'write', path: `/x/${said}`, text: said },
    { verb: 'lock', path: `/x/${said}`, seconds: 1 },
    { verb: 'unlock', path: `/x/${said}` },
    { verb: 'find', program: said, path: said },
    command('ask', 'run'),
    command('change', 'run'),
    command('change', 'start'),
    { verb: 'say', text: said },
    { verb: 'because', text: said },
    command('change', 'script'),
    { verb: 'say', text: said },
    { verb: 'end', outcome: 'failed', why: said },
    { verb: 'result', outcome: 'failed' },
  ]
}

void t.test('no planted address, MAC or host name is left, whatever stands around it', (test) => {
  const secret = fc.tuple(fc.constantFrom(...AROUND), fc.constantFrom(...PLANTED), fc.constantFrom(...AROUND))
  // letters and digits that touch a secret would make another word of it
  const prefixes = new Set(['/24'])
  const text = fc
    .array(
      secret.filter(([before]) => !prefixes.has(before)),
      { minLength: 1, maxLength: 4 },
    )
    .map((all) => all.map((words) => words.join('')).join(' '))
  const property = () =>
    fc.assert(
      fc.property(text, (said) => everyKind(said).every((entry) => !LEFT.test(written(entry)))),
      { seed: 20_261_127, numRuns: 500 },
    )
  test.doesNotThrow(property)
  test.end()
})

/** Where a password may stand, and what others of the recording's texts quote it. */
const PASSWORDS = {
  'an option of others': (word: string): Step => ({
    verb: 'read',
    path: OPTIONS,
    text: `A=1\nPW="${word}"\nexport P='${word}'\n`,
  }),
  'a line that needs a shell': (word: string): Step => ({
    verb: 'read',
    path: OPTIONS,
    text: `f() { echo ${word}; }\nX=$(${word})\n`,
  }),
  'a comment of options': (word: string): Step => ({
    verb: 'read',
    path: OPTIONS,
    text: `# ${word}\nCTDB_LVS_NODES=/n # ${word}\n`,
  }),
  'what the shell printed': (word: string): Step =>
    shell({ status: 0, out: `CTDB_PW=${word}\n# all\n`, err: word }),
  'what the shell could not read': (word: string): Step => shell({ status: 2, err: `sh: ${word}\n` }),
  'a comment of a list': (word: string): Step => ({
    verb: 'read',
    path: '/etc/ctdb/nodes',
    text: `10.0.0.1 # ${word}\n# ${word}\n`,
  }),
  'a comment that is written again': (word: string): Step => ({
    verb: 'write',
    path: '/etc/iproute2/rt_tables',
    text: `# ${word}\n`,
  }),
  'the output of an executable': (word: string): Step => ({
    verb: 'change',
    argv: ['/x/50.samba.script', 'monitor'],
    how: 'script',
    answer: { status: 0, out: `a\n${word}\n`, err: word },
  }),
} as const

void t.test('no password is left, wherever it is planted, nor in a later message that quotes it', (test) => {
  const word = fc.stringMatching(/^Zq[a-zA-Z0-9!%+,:@_\-.*?^~]{6,20}$/)
  const place = fc.constantFrom(...Object.values(PASSWORDS))
  const quotes = (step: Step, secret: string): Note[] => {
    const { text = '', answer } = step as { text?: string; answer?: { err: string; out: string } }
    // no message quotes a comment of options
    const lists = 'path' in step && step.path !== OPTIONS ? text : ''
    const comments = lists.split('\n').flatMap((line) => /#.*/.exec(line)?.[0] ?? [])
    const isScript = 'how' in step && step.how === 'script'
    const said = [
      ...comments,
      ...(answer && answer.err !== '' && !isScript && !answer.out ? [answer.err.trim()] : []),
    ]
    const notes = said.map((each): Note => ({ verb: 'because', text: `seen "${each}"` }))
    return isScript ? [{ verb: 'say', text: secret }] : notes
  }
  const property = () =>
    fc.assert(
      fc.property(word, place, (secret, plant) => {
        const step = plant(secret)
        return !written({ verb: 'handler', name: 'x' }, step, ...quotes(step, secret)).includes(secret)
      }),
      { seed: 20_261_127, numRuns: 500 },
    )
  test.doesNotThrow(property)
  test.end()
})

void t.test('the middle of a network, which a handler computes, stays the middle of that network', (test) => {
  const other = redactor('web1.corp.example')
  const [network = '', bits] = other('fd05:1::/64').split('/')
  test.equal(bits, '64')
  test.not(network, 'fd05:1::')
  test.equal(other('route get fd05:1:0:0:8000::'), `route get ${network.replace(/::$/, ':0:0')}:8000::`)
  test.equal(other('8000::'), '8000::', 'that of all addresses')
  test.not(other('fd05:2:0:0:8000::'), 'fd05:2:0:0:8000::', 'of no network that was seen')
  test.end()
})
