/** Secrets planted in each kind of step of a recording: none is left by `--redact`. */
import * as fc from 'fast-check'
import t from '../tap.ts'
import { redactor } from '../../runner/machine/recording/redact.ts'
import { withoutOthersOptions } from '../../runner/machine/recording/redact-options.ts'
import { hiddenIn } from '../../runner/machine/recording/redact-step.ts'
import type { Step } from '../../runner/machine/recording/transcript.ts'
import { writeHead, writeTail } from '../../runner/machine/recording/write-transcript.ts'

const isRead = (name: string) => name === 'CTDB_LVS_NODES'
const OPTIONS = '/etc/ctdb/script.options'

function written(step: Step, hide = redactor('web1.corp.example')): string {
  return writeHead(hiddenIn(step, hide)) + writeTail(hiddenIn(withoutOthersOptions(step, isRead), hide))
}

void t.test('what options files say to others is left out, what we read stays', (test) => {
  const text = `# ask bob@corp\nCTDB_LVS_NODES=/etc/n # of bob\nPASSWORD=hunter2\nX="$(cat hunter2)"\n`
  const file = written({ verb: 'read', path: OPTIONS, text })
  test.match(file, '  out CTDB_LVS_NODES=/etc/n\n')
  test.notMatch(file, /hunter2|bob|PASSWORD/)
  test.match(file, '  out : left out\n', 'a file that needs a shell still needs a shell')
  const out = 'CTDB_LVS_NODES=/etc/n\nCTDB_PASSWORD=hunter2\n# all\n'
  const answer = { status: 0, out, err: 'sh: hunter2\n' }
  const shell = written({ verb: 'ask', argv: ['sh', '-c', 'TEXT', 'sh', OPTIONS], how: 'run', answer })
  test.match(shell, '  out CTDB_LVS_NODES=/etc/n\n  out # all\n')
  test.notMatch(shell, /hunter2|PASSWORD/)
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
      fc.property(text, (said) => {
        const steps: Step[] = [
          { verb: 'read', path: `/x/${said}`, text: said },
          { verb: 'read', path: '/x', text: said },
          { verb: 'read', path: '/x', trouble: { kind: 'busy', code: said } },
          { verb: 'write', path: `/x/${said}`, text: said },
          { verb: 'lock', path: `/x/${said}`, seconds: 1 },
          { verb: 'unlock', path: `/x/${said}` },
          { verb: 'find', program: said, path: said },
          ...(['run', 'start', 'script'] as const).map((how): Step => ({
            verb: 'change',
            argv: ['ip', said],
            how,
            input: said,
            answer: { status: 0, out: said, err: said },
          })),
        ]
        for (const step of steps) if (LEFT.test(written(step))) return false
        return true
      }),
      { seed: 20_261_127, numRuns: 500 },
    )
  test.doesNotThrow(property)
  test.end()
})
