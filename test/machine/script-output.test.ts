/** An executable handler that prints for ever, and one whose programs leave its process group. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { forLog } from '../../runner/eventd/conf/for-log.ts'
import { Interrupted } from '../../runner/machine/errors.ts'
import { live } from '../../runner/machine/live/live.ts'
import { processName } from '../../runner/machine/live/process-state.ts'
import { whyMissing } from '../lab/needs.ts'
import { isAlive } from '../lab/processes.ts'
import { waitFor } from '../lab/wait-for.ts'

const MEBIBYTE = 1024 * 1024

function script(t: Test, text: string): { dir: string; path: string } {
  const dir = t.testdir()
  const path = join(dir, '10.test.script')
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return { dir, path }
}

/** The bytes of the file that takes the output of the script. */
function stored(): number {
  const files = readdirSync('/proc/self/fd').flatMap((fd) => {
    const file = statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })
    return file?.isFile() && file.nlink === 0 ? [file.size] : []
  })
  return Math.max(0, ...files)
}

t.test(
  'a script that prints for ever fills neither the disk nor our memory, and that is said once',
  async (t) => {
    const { path } = script(t, 'exec yes')
    const signal = AbortSignal.timeout(1500)
    let most = 0
    const looks = setInterval(() => (most = Math.max(most, stored())), 5)
    const end = await live({ signal })
      .run('change', [path], { combined: true })
      .catch((error: unknown) => error)
    clearInterval(looks)
    t.ok(end instanceof Interrupted)
    const { output } = end as Interrupted
    t.ok(output.length < MEBIBYTE + 100, `${output.length} characters`)
    t.match(output, /\n… and \d{7,} bytes more\n\n?$/)
    t.ok(most > 0 && most < 300 * MEBIBYTE, `${Math.round(most / MEBIBYTE)} MiB at a time`)
  },
)

t.test('an output that is just long is whole', async (t) => {
  const { path } = script(t, 'head -c 1000000 /dev/zero | tr "\\\\0" x')
  const { out } = await live({}).run('change', [path], { combined: true })
  t.equal(out, 'x'.repeat(1_000_000))
})

t.test(
  'what a script has started in sessions of their own ends with the script at its deadline, and not before',
  { skip: whyMissing(['setsid', 'grep']) ?? false },
  async (t) => {
    const { dir, path } = script(
      t,
      `[ "$1" = quick ] || trap '' TERM
setsid sh -c 'echo $$ >"$0.usual"; exec sleep 600' "$0" &
setsid sh -c 'trap "" TERM; echo $$ >"$0.deaf"; while :; do sleep 1; done' "$0" &
until [ -s "$0.usual" ] && [ -s "$0.deaf" ]; do sleep 0.1; done
[ "$1" = quick ] && exit
echo hangs
while :; do sleep 1; done`,
    )
    const pids = () =>
      ['usual', 'deaf'].map((name) => Number(readFileSync(join(dir, `10.test.script.${name}`), 'utf8')))
    const { status } = await live({}).run('change', [path, 'quick'], { combined: true })
    t.equal(status, 0)
    const daemons = pids()
    t.same(daemons.map(isAlive), [true, true], 'a script that is in time may leave daemons')

    for (const name of ['usual', 'deaf']) writeFileSync(join(dir, `10.test.script.${name}`), '')
    const clock = new AbortController()
    const hung = live({ signal: clock.signal }).run('change', [path], { combined: true })
    await waitFor('its programs', () => pids().every((pid) => pid > 0))
    clock.abort(new Error('too late'))
    await t.rejects(hung, Interrupted)
    await waitFor('their end', () => !pids().some(isAlive))
    t.same(daemons.map(isAlive), [true, true], 'those of another run are not touched')
    daemons.forEach((pid) => process.kill(pid, 'SIGKILL'))
    t.ok(existsSync(path))
  },
)

/** Its program leaves its group and has an empty environment: the mark is lost. */
const HIDDEN = `env -i setsid sh -c 'echo $$ >"$0.env"; exec sleep 600' "$0" &`

t.test(
  'what has left its group with an empty environment ends with the script at its deadline, too',
  { skip: whyMissing(['setsid', 'grep', 'bash']) ?? false },
  async (t) => {
    const { path } = script(
      t,
      `${HIDDEN}
setsid bash -c 'echo $$ >"$0.exec"; exec -c sleep 600' "$0" &
while :; do sleep 1; done`,
    )
    const { hung, tooLate, pids } = await started(path, ['env', 'exec'])
    tooLate()
    const error = await hung
    t.type(error, Interrupted)
    t.notMatch(error.output, 'WARNING')
    await waitFor('their end', () => !pids.some(isAlive))
  },
)

t.test(
  'what stays although it was to end with the script is named in one line',
  { skip: whyMissing(['setsid', 'grep']) ?? false },
  async (t) => {
    const { path } = script(t, `${HIDDEN}\nwhile :; do sleep 1; done`)
    const { hung, tooLate, pids } = await started(path, ['env'])
    const kill = process.kill.bind(process)
    // as if the process waited for a disk
    const isDeaf = (pid: number, signal?: string | number) => pids.includes(pid) && signal !== 0
    t.intercept(process, 'kill', {
      value: (pid: number, signal?: string | number) => isDeaf(pid, signal) || kill(pid, signal),
    })
    t.teardown(() => pids.forEach((pid) => kill(pid, 'SIGKILL')))
    tooLate()
    const { output } = await hung
    t.equal(output.trim(), `WARNING: no signal ends pid ${pids.join()} (sleep): it stays`)
  },
)

/** A script that goes on until `tooLate` is called; its programs have written their numbers and are `sleep` by now. */
async function started(path: string, names: readonly string[]) {
  const clock = new AbortController()
  const run = live({ signal: clock.signal }).run('change', [path], { combined: true })
  const hung = run.catch((error: unknown) => error) as Promise<Interrupted>
  const pids = () =>
    names.map((name) => Number(existsSync(`${path}.${name}`) && readFileSync(`${path}.${name}`)))
  await waitFor('its programs', () => pids().every((pid) => pid > 0 && processName(pid) === 'sleep'))
  return { hung, tooLate: () => clock.abort(new Error('too late')), pids: pids() }
}

t.test('the log takes the beginning of an output', (t) => {
  t.same(forLog(['a', 'b']), ['a', 'b'])
  const many = forLog(Array.from({ length: 100_000 }, () => 'y'))
  t.ok(many.length < 3000, `${many.length} lines`)
  t.equal(many.at(-1), `… and ${100_000 - (many.length - 1)} characters more, which are not logged`)
  const [first = '', last, ...more] = forLog(['x'.repeat(MEBIBYTE), 'z'])
  t.ok(first.length > 200_000 && first.length < 300_000)
  t.equal(last, `… and ${MEBIBYTE + 1 - first.length} characters more, which are not logged`)
  t.same(more, [])
  t.end()
})
