import t from '../tap.ts'
import { Stopper } from '../../runner/machine/stop.ts'

t.test('a stop stays, with its first reason, and every listener hears of the stop once', async (t) => {
  const stop = new Stopper()
  stop.throwIfAborted()
  const heard: string[] = []
  const first = () => heard.push('first')
  const gone = () => heard.push('gone')
  const leaves = () => {
    heard.push('leaves')
    stop.removeEventListener('abort', last)
  }
  const last = () => heard.push('last')
  for (const each of [first, first, gone, leaves, last]) stop.addEventListener('abort', each)
  stop.removeEventListener('abort', gone)
  t.match(stop, { aborted: false, reason: undefined })
  const why = new Error('the time is up')
  stop.abort(why)
  stop.abort(new Error('another'))
  t.same(heard, ['first', 'leaves'])
  t.equal(stop.aborted, true)
  t.equal(stop.reason, why)
  t.throws(() => stop.throwIfAborted(), why)
})

t.test('as with an AbortSignal, a listener that throws does not keep the stop from the others', async (t) => {
  const stop = new Stopper()
  const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
  let told = false
  stop.addEventListener('abort', () => {
    throw new Error('a listener of no use')
  })
  stop.addEventListener('abort', () => (told = true))
  stop.abort('enough')
  t.ok(told)
  t.match(await thrown, /a listener of no use/)
})
