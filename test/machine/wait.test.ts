import t from '../tap.ts'
import { Interrupted } from '../../runner/machine/errors.ts'
import { live } from '../../runner/machine/live/live.ts'
import { rehearsal } from '../../runner/machine/recording/rehearse.ts'
import { witnessed, writing } from '../../runner/machine/recording/record.ts'
import { Replay } from '../../runner/machine/recording/replay.ts'
import { readTranscript } from '../../runner/machine/recording/read-transcript.ts'
import { Stopper } from '../../runner/machine/stop.ts'

t.test('a wait is recorded as the program that would wait as long', async (t) => {
  let text = ''
  const machine = witnessed(
    live(),
    writing((written) => (text += written)),
  )
  const began = performance.now()
  await machine.wait(20)
  t.ok(performance.now() - began > 15)
  t.match(text, /^ask sleep 0\.02\n {2}exit 0\n {2}took \d+\.\d ms\n$/)
})

t.test('a rehearsal and a replay go on at once', async (t) => {
  const began = performance.now()
  await rehearsal(live()).wait(60_000)
  const text = 'eventscript recording 1\nevent monitor\nask sleep 60\n  exit 0\nresult ok\n'
  const replay = new Replay(readTranscript(text))
  await replay.wait(60_000)
  replay.finished()
  await t.rejects(replay.wait(1000), { name: 'Mismatch' })
  t.ok(performance.now() - began < 5000)
})

t.test('a wait ends at the deadline, like a program that is ended', async (t) => {
  const stop = new Stopper()
  const waiting = live({ signal: stop }).wait(60_000)
  setTimeout(() => stop.abort(new Error('time is up')), 20)
  await t.rejects(waiting, Interrupted)
  await waiting.catch((error: Interrupted) => {
    t.equal(error.running, 'sleep 60')
    t.match(error.reason, { message: 'time is up' })
  })
  await t.rejects(live({ signal: stop }).wait(0), { message: 'time is up' })
})
