/** `status --socket` in the layouts of `ctdb event status`, as recorded from ctdb 4.17.12 and 4.25.1. */
import t from '../tap.ts'
import { parseVersion } from '../../runner/node/ctdb-version.ts'
import { layoutOf, statusLines, type Layout } from '../../runner/eventd/status-text.ts'
import type { ScriptStatus } from '../../runner/eventd/protocol/messages.ts'

const BEGAN = new Date(2026, 10, 7, 7, 34, 43)
const seconds = BEGAN.getTime() / 1000

function script(name: string, result: number, output?: string): ScriptStatus {
  return { name, result, output, begin: { seconds, microseconds: 0 }, end: { seconds, microseconds: 3000 } }
}

const print = (layout: Layout, ...scripts: ScriptStatus[]) =>
  scripts.flatMap((each) => statusLines(each, layout, (text) => text)).join('\n')

t.test('since 4.19: a single OUTPUT, with more lines below, also for a healthy script', (t) => {
  t.equal(
    print(
      'since 4.19',
      script('10.interface', 0),
      script('20.say', 3, 'one\n\n  two\n\n'),
      script('21.ok', 0, 'ok line\n'),
      script('22.blank', 0, '\n\n'),
      script('30.off', -8),
      script('40.hang', -110, 'hanging\n'),
      script('41.silent', 1),
      script('42.bad', -4),
    ),
    `10.interface         OK         0.003 Sat Nov  7 07:34:43 2026
20.say               ERROR      0.003 Sat Nov  7 07:34:43 2026
  OUTPUT:
    one
    
      two
21.ok                OK         0.003 Sat Nov  7 07:34:43 2026
  OUTPUT: ok line
22.blank             OK         0.003 Sat Nov  7 07:34:43 2026
  OUTPUT: 
30.off               DISABLED  
40.hang              TIMEDOUT   Sat Nov  7 07:34:43 2026
  OUTPUT: hanging
41.silent            ERROR      0.003 Sat Nov  7 07:34:43 2026
  OUTPUT: 
42.bad               CANNOT RUN (Interrupted system call)
  OUTPUT: `,
  )
  t.end()
})

t.test('before 4.19: only the output of failures, unchanged', (t) => {
  t.equal(
    print(
      'before 4.19',
      script('20.say', 1, 'exiting 1\n'),
      script('21.ok', 0, 'ok line\n'),
      script('22.no', 1),
    ),
    `20.say               ERROR      0.003 Sat Nov  7 07:34:43 2026
  OUTPUT: exiting 1

21.ok                OK         0.003 Sat Nov  7 07:34:43 2026
22.no                ERROR      0.003 Sat Nov  7 07:34:43 2026
  OUTPUT: `,
  )
  t.end()
})

t.test('the layout is that of the tool on this node', (t) => {
  t.same(parseVersion('4.17.12-Debian\n'), [4, 17])
  t.equal(layoutOf(parseVersion('4.17.12-Debian\n')), 'before 4.19')
  t.equal(layoutOf(parseVersion('4.19.0\n')), 'since 4.19')
  t.equal(layoutOf(parseVersion('5.0\n')), 'since 4.19')
  t.equal(parseVersion('no version'), undefined)
  t.equal(layoutOf(undefined), 'since 4.19')
  t.end()
})
