import t from '../tap.ts'
import { RemovedCount } from '../../runner/eventd/last-act/removed-count.ts'
import type { Step } from '../../runner/machine/recording/transcript.ts'

const ok = { status: 0, out: '', err: '' }
const place = (address: string) => ({ address, bits: 24, iface: 'eth0' })
const change = (removes: Step['removes'], answer = ok): Step => ({
  verb: 'change',
  argv: ['any'],
  how: 'run',
  answer,
  removes,
})

t.test('the last act counts the removals that its successful steps report', (t) => {
  const count = new RemovedCount()
  count.add(change({ addresses: [place('10.0.0.1'), place('10.0.0.2')] }))
  count.add(change({ addresses: [place('10.0.0.2')] }))
  count.add(change({ addresses: [place('10.0.0.3')] }, { ...ok, status: 2 }))
  count.add(change({ rules: 1 }))
  count.add(change(undefined))
  const write: Step = { verb: 'write', path: '/proc/sys/x', text: '1\n', removes: { sysctls: 1 } }
  count.add(write)
  count.add({ ...write, trouble: { kind: 'file', code: 'EROFS' } })
  t.same(count.counts(), { addresses: 2, rules: 1, sysctls: 1 })
  t.end()
})
