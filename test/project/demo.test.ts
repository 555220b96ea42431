/** `npm run demo` as a user runs it: the live story, and the replay on machines without namespaces. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from '../tap.ts'
import { whyNoLab } from '../lab/needs.ts'
import { DIST } from '../lab/paths.ts'

const DEMO = join(DIST, 'test/demo/demo.js')

async function demo(env: Record<string, string>): Promise<{ exitCode?: number; stdout: string }> {
  return await execa(process.execPath, [DEMO], { reject: false, env: { NO_COLOR: '1', ...env } })
}

const reason = await whyNoLab()

void t.test(
  'the demo shows the state that the kernel reports',
  { skip: reason ?? false, timeout: 120_000 },
  async (test) => {
    const { exitCode, stdout } = await demo({})
    test.equal(exitCode, 0, stdout)
    test.match(stdout, /takeip eth0 10\.0\.0\.1 24\n +exit status 0/, 'takeip of an IPv4 address')
    test.match(stdout, /eth0@\S+ {2}UP {2}10\.0\.0\.1\/24/)
    test.match(stdout, /takeip eth0 fd00::1 64\n +exit status 0/, 'takeip of an IPv6 address')
    test.match(stdout, /✓ and it can be used: no longer tentative/)
    test.equal(stdout.match(/ 02:00:00:00:00:99$/gm)?.length, 2, 'the client knew the dead MAC for both')
    test.match(
      stdout,
      /monitor\n +exit status 0[^]*NO-CARRIER[^]*monitor\n +ERROR: No link on the public network/,
    )
    test.match(stdout, /ctdb setifacelink eth0 down/, 'the daemon is told')
    test.match(
      stdout,
      /releaseip __none__ 10\.0\.0\.2 24\n +WARNING: Public IP 10\.0\.0\.2 hosted on interface eth1/,
    )
    test.match(stdout, /takeip eth1 fd00::66 64\n +Failed to add [^]*exit status 1/, 'a duplicate is refused')
    test.notMatch(stdout, /NOT SO/)
    test.match(stdout, /What to type next/)
    test.equal(
      stdout
        .split('\n')
        .filter((line) => line.length > 80)
        .join('\n'),
      '',
      'nothing is wider than 80',
    )
  },
)

void t.test('without namespaces the demo replays recordings', async (test) => {
  const bin = mkdtempSync(join(tmpdir(), 'eventscript-bin-'))
  test.teardown(() => rmSync(bin, { recursive: true }))
  symlinkSync(process.execPath, join(bin, 'node'))
  const { exitCode, stdout } = await demo({ PATH: bin })
  test.match(stdout, /^No live demo: unshare is not installed\. Recorded runs are replayed instead\.$/m)
  test.match(stdout, /^\d+ recordings replayed, 0 differences\.$/m)
  test.match(stdout, /change ip addr add/, 'the decisions are shown')
  test.equal(exitCode, 0, stdout)
})
