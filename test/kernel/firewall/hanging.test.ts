/** A firewall that hangs, or that another program keeps locked, keeps no address from being taken or released. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from '../../tap.ts'
import { FAMILIES } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

type Family = (typeof FAMILIES)[number]

/** One event: its exit status, and what it said. */
type Run = (event: string, ...words: string[]) => Promise<{ status: number; said: () => string }>

/** Each event in a process of its own, and all in our event daemon. */
const WAYS: Record<string, (lab: Lab) => Promise<Run>> = {
  'one-shot': (lab) =>
    Promise.resolve(async (...words) => {
      const result = await lab.script(...words)
      const text = lines(result).join('\n')
      return { status: result.status, said: () => text }
    }),
  resident: async (lab) => {
    const daemon = await lab.daemon()
    return async (...words) => {
      const before = daemon.log().length
      const status = await daemon.run(...words)
      return { status, said: () => daemon.log().slice(before) }
    }
  },
}

/** The legacy programs take a lock; those of nftables do not. */
function takeLocks(lab: Lab, { iptables }: Family): void {
  for (const [program, suffix] of [
    [iptables, ''],
    [`${iptables}-restore`, '-restore'],
  ] as const)
    lab.standIn(program, `exec ${iptables}-legacy${suffix} "$@"`)
}

async function lock(lab: Lab): Promise<() => Promise<void>> {
  const holder = lab.node.start('flock', '-F', '/run/xtables.lock', 'sleep', '600')
  await waitFor('the lock', async () => {
    return (await lab.node.run('flock', '-n', '/run/xtables.lock', 'true')).status !== 0
  })
  return async () => {
    holder.kill()
    await holder
  }
}

/** The lock is waited for 3 s; on a busy machine the limit of 5 s may come first. */
const WHY = '(xtables lock|no answer within)'
const UNSEEN = new RegExp(`WARNING: whether a rule of \\S+ blocks what arrives cannot be seen: .*${WHY}`)
const UNBLOCKED = new RegExp(`WARNING: cannot block \\S+ on eth0: .*${WHY}.*: it goes unblocked`)

/** Far less than the 30 s that an event has, on a machine that others use as well. */
const SOON_MS = 20_000

/** The event ends well and in time; the daemon may answer before its log is written. */
async function soon(t: Test, run: ReturnType<Run>, ...patterns: RegExp[]): Promise<() => string> {
  const began = performance.now()
  const { status, said } = await run
  const ms = Math.round(performance.now() - began)
  t.equal(status, 0)
  t.ok(ms < SOON_MS, `${ms} ms`)
  for (const pattern of patterns) await waitFor(`${pattern}`, () => pattern.test(said()))
  return said
}

const nothing = await prepareFile()
for (const [way, start] of nothing ? [] : Object.entries(WAYS))
  for (const family of FAMILIES) {
    const { ip, bits, iptables } = family
    const ours = ['INPUT', '-i', 'eth1', '-d', ip, '-m', 'comment', '--comment', 'eventscript', '-j', 'DROP']

    inLab(
      `${way}, ${family.family}: another program holds the lock of the firewall`,
      { needs: [`${iptables}-legacy`, 'flock'] },
      async (t, lab) => {
        takeLocks(lab, family)
        const run = await start(lab)
        await lab.node.must(`${iptables}-legacy`, '-I', ...ours)
        const release = await lock(lab)
        await soon(t, run('takeip', 'eth0', ip, bits), UNSEEN)
        t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
        await soon(t, run('releaseip', 'eth0', ip, bits), UNBLOCKED)
        t.strictSame(await lab.node.places(ip), [])
        await release()
        t.notMatch((await soon(t, run('monitor')))(), 'WARNING')
        t.notMatch(await lab.node.must(`${iptables}-legacy`, '-S', 'INPUT'), 'DROP', 'the next monitor looks')
      },
    )

    inLab(`${way}, ${family.family}: the program hangs`, { needs: [iptables] }, async (t, lab) => {
      for (const each of [iptables, `${iptables}-restore`])
        lab.standIn(each, `trap '' TERM; while :; do sleep 600; done`)
      const run = await start(lab)
      await soon(t, run('takeip', 'eth0', ip, bits), UNSEEN)
      t.strictSame(await lab.node.places(ip), [`eth0/${bits}`])
      await soon(t, run('releaseip', 'eth0', ip, bits), UNBLOCKED)
      t.strictSame(await lab.node.places(ip), [])
      await waitFor(
        'the programs to end',
        () => !lab.processes().some(({ command }) => / -S INPUT/.test(command)),
      )
    })

    inLab(
      `${way}, ${family.family}: a rule that cannot be removed`,
      { needs: [iptables] },
      async (t, lab) => {
        lab.standIn(
          iptables,
          `case "$*" in *" -D "*) echo "a kernel that refuses" >&2; exit 4 ;; esac; exec $real "$@"`,
        )
        const run = await start(lab)
        await soon(t, run('takeip', 'eth0', ip, bits))
        const command = `${iptables} -w 3 -D INPUT -i eth0 -d ${ip} -m comment --comment eventscript -j DROP`
        const stays = new RegExp(
          `WARNING: cannot unblock ${ip} on eth0: a kernel that refuses: .*"${command}"`,
        )
        await soon(t, run('releaseip', 'eth0', ip, bits), stays)
        t.equal((await lab.node.dropRules()).length, 1)
        t.match((await lab.eventscript('audit')).out, 'a leftover rule drops packets')
        await soon(t, run('monitor'), stays)
        lab.standIn(iptables, 'exec $real "$@"')
        t.notMatch((await soon(t, run('monitor')))(), 'WARNING')
        t.strictSame(await lab.node.dropRules(), [])
        const list = join(lab.dir, 'eventscript/blocked')
        t.notOk(existsSync(list) && readFileSync(list, 'utf8') !== '', 'and nothing is left to be tried')
      },
    )
  }
