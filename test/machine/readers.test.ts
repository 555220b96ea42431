/** Who may read what we write, whatever the umask, and what another user has put in the place of our drafts. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../tap.ts'
import { keepRunByHand } from '../../runner/engine/history/keep.ts'
import { writerOf } from '../../runner/machine/files/far-file.ts'
import { DRAFT } from '../../runner/machine/files/new-file.ts'
import { keepStatePrivate } from '../../runner/machine/files/readers.ts'
import { live } from '../../runner/machine/live/live.ts'
import { Files } from '../../runner/resident/files.ts'

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

/** Under each of these the modes are the same. */
async function underEachUmask(work: (umask: number) => Promise<void> | void): Promise<void> {
  for (const umask of [0, 0o022, 0o077]) {
    const before = process.umask(umask)
    try {
      await work(umask)
    } finally {
      process.umask(before)
    }
  }
}

function far(path: string, readers?: 'all'): void {
  const [program, ...words] = writerOf(path, readers)
  execFileSync(program, words, { input: 'text\n' })
}

void t.test(
  'state is for root alone, also where it was open; what others read stays as it was',
  async (test) => {
    await underEachUmask(async (umask) => {
      const folder = test.testdir({ old: 'old', list: 'old', farOld: 'old', farNames: 'old' })
      for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644)
      chmodSync(join(folder, 'farNames'), 0o664)
      const at = (name: string) => join(folder, name)
      const write = live()
      await write.write(at('old'), 'text\n')
      await write.write(at('fresh'), 'text\n')
      await write.write(at('list'), 'text\n', { readers: 'all' })
      await write.write(at('new-list'), 'text\n', { readers: 'all' })
      await write.write(at('sub/fresh'), 'text\n')
      for (const name of ['farOld', 'farFresh']) far(at(name))
      for (const name of ['farNames', 'farList']) far(at(name), 'all')
      const modes = Object.fromEntries(readdirSync(folder).map((name) => [name, modeOf(at(name))]))
      const expected = {
        old: '600',
        fresh: '600',
        list: '644',
        'new-list': '644',
        farOld: '600',
        farFresh: '600',
        farNames: '664',
        farList: '644',
      }
      test.match(modes, expected, `umask ${umask.toString(8)}`)
      test.equal((statSync(at('sub')).mode & 0o022) === 0, true, 'nobody else may write to a new folder')
    })
  },
)

void t.test('a text that waits for a lock keeps its readers', async (test) => {
  const folder = test.testdir({})
  const files = new Files(live())
  await files.write(join(folder, 'list'), 'text\n', { until: 'lock', readers: 'all' })
  await files.write(join(folder, 'own'), 'text\n', { until: 'lock' })
  await files.putDown('lock')
  test.equal(modeOf(join(folder, 'list')), '644')
  test.equal(modeOf(join(folder, 'own')), '600')
})

void t.test(
  'the folder of state is closed, with all that an older version has left open in it',
  async (test) => {
    await underEachUmask((umask) => {
      const folder = test.testdir({ state: { parked: '', dad: { lowered: '' } } })
      const [state, kept] = [join(folder, 'state'), join(folder, 'kept')]
      writeFileSync(kept, '')
      for (const path of [state, join(state, 'dad')]) chmodSync(path, 0o755)
      for (const path of [kept, join(state, 'parked'), join(state, 'dad/lowered')]) chmodSync(path, 0o644)
      symlinkSync(kept, join(state, 'link'))
      keepStatePrivate(state)
      keepStatePrivate(join(folder, 'deep/fresh'))
      test.equal(modeOf(state), '700', `umask ${umask.toString(8)}`)
      test.equal(modeOf(join(state, 'parked')), '600')
      test.equal(modeOf(join(state, 'dad/lowered')), '600')
      test.equal(modeOf(kept), '644', 'a link is not followed')
      test.equal(modeOf(join(folder, 'deep/fresh')), '700')
    })
  },
)

void t.test('the history is for root alone, also when it is cut back', async (test) => {
  await underEachUmask(async () => {
    const file = join(test.testdir({}), 'eventscript/history.jsonl')
    const long = {
      name: 'x',
      outcome: 'ok',
      result: 0,
      began: '',
      ms: 1,
      output: ['x'.repeat(600_000)],
    } as const
    const report = { event: 'monitor', words: [], outcome: 'ok', began: '', ms: 1, handlers: [long] } as const
    for (let runs = 0; runs < 2; runs += 1)
      test.equal(
        await keepRunByHand(file, report as unknown as Parameters<typeof keepRunByHand>[1]),
        undefined,
      )
    test.equal(modeOf(file), '600')
    test.equal(modeOf(join(file, '..')), '700')
  })
})

/** What another user may have put there in advance. */
const PLANTED: Record<string, (path: string, kept: string) => void> = {
  'a link': (path, kept) => symlinkSync(kept, path),
  'a dangling link': (path, kept) => symlinkSync(`${kept}.none`, path),
  'a FIFO': (path) => void execFileSync('mkfifo', [path]),
  'a file': (path) => writeFileSync(path, 'planted\n', { mode: 0o666 }),
}

function untouched(test: Test, folder: string, what: string): void {
  test.equal(readFileSync(join(folder, 'kept'), 'utf8'), 'kept', what)
  test.notOk(existsSync(join(folder, 'kept.none')), what)
}

void t.test('a draft that was planted in advance is not written to', async (test) => {
  for (const [what, plant] of Object.entries(PLANTED)) {
    const folder = test.testdir({ kept: 'kept' })
    const file = join(folder, 'state')
    plant(`${file}${DRAFT}${process.pid}`, join(folder, 'kept'))
    await live().write(file, 'text\n')
    test.ok(lstatSync(file).isFile(), what)
    test.equal(readFileSync(file, 'utf8'), 'text\n', what)
    test.equal(modeOf(file), '600', what)
    untouched(test, folder, what)
  }
})

void t.test('the same where a shell writes', (test) => {
  const planted: typeof PLANTED = { ...PLANTED, 'a folder': (path) => mkdirSync(path) }
  for (const [what, plant] of Object.entries(planted)) {
    const folder = test.testdir({ kept: 'kept' })
    const file = join(folder, 'state')
    const [program, option = '', script = '', ...words] = writerOf(file)
    // by its number the draft of that very shell
    const before = `plant=$4; mv "$plant" "$3${DRAFT}$$"; ${script}`
    plant(join(folder, 'plant'), join(folder, 'kept'))
    execFileSync(program, [option, before, ...words, join(folder, 'plant')], { input: 'text\n' })
    test.equal(readFileSync(file, 'utf8'), 'text\n', what)
    test.same(readdirSync(folder).toSorted(), ['kept', 'state'], what)
    untouched(test, folder, what)
  }
  test.end()
})

void t.test('a link in the place of a lock or of the history is refused', async (test) => {
  const folder = test.testdir({ kept: 'kept' })
  symlinkSync(join(folder, 'kept'), join(folder, 'lock'))
  await test.rejects(live().hold(join(folder, 'lock'), 0), { code: 'ELOOP' })
  untouched(test, folder, 'lock')
})
