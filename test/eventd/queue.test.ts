import t from '../tap.ts'
import type { Job } from '../../runner/eventd/run/job.ts'
import { EventQueue } from '../../runner/eventd/run/queue.ts'

/** A queue whose jobs end when the test says so. `log` shows which jobs began and which were answered. */
function rig(atOnce = 10) {
  const log: string[] = []
  const ends = new Map<string, (result: number) => void>()
  const earlies = new Map<string, (result: number) => void>()
  const q = new EventQueue(
    ({ job: { event, words }, stop }, early) => {
      const name = [event, ...words.slice(1, 2)].join(' ')
      log.push(`begins ${name}`)
      earlies.set(name, early)
      return new Promise((resolve) => {
        ends.set(name, resolve)
        stop.addEventListener('abort', () => resolve(0))
      })
    },
    () => atOnce,
  )
  const submit = (event: string, address?: string, owner: object = log) => {
    const words = address === undefined ? [] : ['eth0', address, '24']
    const name = [event, ...words.slice(1, 2)].join(' ')
    const job: Job = {
      event,
      words,
      limit: 1000,
      all: false,
      owner,
      asked: 0,
      answer: (result) => log.push(`answers ${name} ${result}`),
    }
    q.submit(job)
  }
  const end = async (name: string, result = 0) => {
    ends.get(name)?.(result)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const since = () => log.splice(0)
  return {
    submit,
    end,
    since,
    early: (name: string) => earlies.get(name)?.(110),
    drop: (owner: object) => q.drop(owner),
    running: () => q.running(),
    waiting: () => q.waiting(),
  }
}

t.test('events that move addresses run side by side, and each has its own answer', async (t) => {
  const q = rig()
  q.submit('takeip', '10.0.0.1')
  q.submit('takeip', '10.0.0.2')
  q.submit('releaseip', '10.0.0.3')
  t.same(q.since(), ['begins takeip 10.0.0.1', 'begins takeip 10.0.0.2', 'begins releaseip 10.0.0.3'])
  await q.end('takeip 10.0.0.2', 8)
  t.same(q.since(), ['answers takeip 10.0.0.2 8'])
})

t.test('two events for the same address keep their order, however the address is written', async (t) => {
  const q = rig()
  q.submit('releaseip', 'fd00::1')
  q.submit('takeip', 'FD00:0::1')
  q.submit('takeip', 'fd00::2')
  t.same(q.since(), ['begins releaseip fd00::1', 'begins takeip fd00::2'])
  await q.end('releaseip fd00::1')
  t.same(q.since(), ['answers releaseip fd00::1 0', 'begins takeip FD00:0::1'])
})

t.test('every other event waits for all earlier events, and all later events wait for its end', async (t) => {
  const q = rig()
  q.submit('takeip', '10.0.0.1')
  q.submit('ipreallocated')
  q.submit('takeip', '10.0.0.2')
  t.same(q.since(), ['begins takeip 10.0.0.1'])
  await q.end('takeip 10.0.0.1')
  t.same(q.since(), ['answers takeip 10.0.0.1 0', 'begins ipreallocated'])
  await q.end('ipreallocated')
  t.same(q.since(), ['answers ipreallocated 0', 'begins takeip 10.0.0.2'])
})

t.test('no more events run at once than allowed', async (t) => {
  const q = rig(2)
  for (const n of [1, 2, 3]) q.submit('takeip', `10.0.0.${n}`)
  t.same(q.since(), ['begins takeip 10.0.0.1', 'begins takeip 10.0.0.2'])
  await q.end('takeip 10.0.0.1')
  t.same(q.since(), ['answers takeip 10.0.0.1 0', 'begins takeip 10.0.0.3'])
})

t.test('monitor gives way to any event, and is refused while any event runs', async (t) => {
  const q = rig()
  q.submit('monitor')
  q.submit('takeip', '10.0.0.1')
  await q.end('')
  t.same(q.since(), ['begins monitor', 'answers monitor 125', 'begins takeip 10.0.0.1'])
  q.submit('monitor')
  t.same(q.since(), ['answers monitor 125'])
})

t.test('only an event for the same address waits for the work after a deadline', async (t) => {
  const q = rig()
  q.submit('takeip', '10.0.0.1')
  q.submit('takeip', '10.0.0.1')
  q.early('takeip 10.0.0.1')
  t.same(q.since(), ['begins takeip 10.0.0.1', 'answers takeip 10.0.0.1 110'])
  await q.end('takeip 10.0.0.1')
  t.same(q.since(), ['begins takeip 10.0.0.1'])
  q.submit('ipreallocated')
  t.same(q.since(), [])
  q.early('takeip 10.0.0.1')
  t.same(q.since(), ['answers takeip 10.0.0.1 110', 'begins ipreallocated'])
})

for (const event of ['init', 'shutdown'])
  t.test(
    `${event} releases all addresses: it waits for the work after a deadline, and is waited for`,
    async (t) => {
      const q = rig()
      q.submit('takeip', '10.0.0.1')
      q.early('takeip 10.0.0.1')
      q.submit(event)
      t.same(q.since(), ['begins takeip 10.0.0.1', 'answers takeip 10.0.0.1 110'])
      await q.end('takeip 10.0.0.1')
      t.same(q.since(), [`begins ${event}`])
      q.early(event)
      q.submit('takeip', '10.0.0.2')
      t.same(q.since(), [`answers ${event} 110`])
      await q.end(event)
      t.same(q.since(), ['begins takeip 10.0.0.2'])
    },
  )

t.test('a client that leaves takes its own events along, and no others', async (t) => {
  const q = rig()
  const owner = {}
  q.submit('takeip', '10.0.0.1', owner)
  q.submit('takeip', '10.0.0.2')
  q.submit('ipreallocated', undefined, owner)
  q.drop(owner)
  await q.end('takeip 10.0.0.2')
  t.same(q.since(), [
    'begins takeip 10.0.0.1',
    'begins takeip 10.0.0.2',
    'answers takeip 10.0.0.1 125',
    'answers takeip 10.0.0.2 0',
  ])
  t.same([q.running().length, q.waiting().length], [0, 0])
})

t.test('an event that has waited for an event of a leaving client begins at once', async (t) => {
  const q = rig()
  const owner = {}
  q.submit('takeip', '10.0.0.1')
  q.submit('ipreallocated', undefined, owner)
  q.submit('takeip', '10.0.0.2')
  q.drop(owner)
  t.same(q.since(), ['begins takeip 10.0.0.1', 'begins takeip 10.0.0.2'])
})
