/** A helper of the event daemon hangs (SIGSTOP) or is killed: it is replaced, and dead when the daemon ends. */
import { execa } from 'execa'
import { FAMILIES, manyAddresses } from '../../lab/families.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import type { Daemon } from '../../lab/daemon.ts'
import { MAIN } from '../../lab/paths.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { childrenOf, isThere, type Child } from './children.ts'

const needs = ['iptables', 'ip6tables', 'perl']
const SETTINGS = 'EVENTSCRIPT_DAD=fast\nEVENTSCRIPT_ANNOUNCE=yes\n'

/** The helpers that are to be there before one of them hangs, by the words of their command. */
const HELPERS: Record<string, RegExp> = {
  'ip -batch': /^ip -json -force -batch/,
  'a shell of the pool': /process-pool\.sh/,
  'a lock keeper': /LOCK_SH/,
  'the frame sender': /AF_PACKET/,
  'the warden': /warden\.sh/,
}

function signal(children: readonly Child[], name: NodeJS.Signals): void {
  for (const { pid } of children) process.kill(pid, name)
}

const takeAll = (daemon: Daemon) =>
  Promise.all(FAMILIES.map(({ ip, bits }) => daemon.run('takeip', 'eth0', ip, bits)))
const releaseAll = (daemon: Daemon) =>
  Promise.all(FAMILIES.map(({ ip, bits }) => daemon.run('releaseip', 'eth0', ip, bits)))

/** The daemon with all of its helpers: both addresses have been taken and announced. */
async function atWork(lab: Lab, parent = 0): Promise<Daemon> {
  const daemon = await lab.daemon(SETTINGS, parent)
  await takeAll(daemon)
  await waitFor('every helper', () => areAllThere(childrenOf(daemon.pid)))
  await releaseAll(daemon)
  return daemon
}

const areAllThere = (children: readonly Child[]) =>
  Object.values(HELPERS).every((words) => children.some(({ command }) => words.test(command)))

/** The processes of the daemon when every helper is there: one that is just being replaced would escape a signal. */
async function helpersOf(daemon: Daemon): Promise<Child[]> {
  let children: Child[] = []
  await waitFor('every helper', () => areAllThere((children = childrenOf(daemon.pid))))
  return children
}

const sysctls = async ({ node }: Lab) =>
  await node.must('sh', '-c', 'cd /proc/sys/net/ipv6; cat conf/eth0/dad_transmits neigh/eth0/retrans_time_ms')

async function gone(children: readonly Child[]): Promise<void> {
  await waitFor(
    `the end of ${children.map(({ pid, command }) => `${pid} ${command.slice(0, 40)}`).join()}`,
    () => children.every(({ pid }) => !isThere(pid)),
  )
}

if (!(await prepareFile())) {
  for (const name of ['SIGSTOP', 'SIGKILL'] as const)
    inLab(
      `all helpers get a ${name}: events succeed, and later events are as fast as ever`,
      { needs },
      async (t, lab) => {
        const before = await sysctls(lab)
        const daemon = await atWork(lab)
        const children = childrenOf(daemon.pid)
        signal(children, name)
        t.same(await takeAll(daemon), [0, 0])
        t.same(await releaseAll(daemon), [0, 0])
        await gone(children.filter(({ command }) => !/^sleep/.test(command)))
        const began = performance.now()
        t.same(await takeAll(daemon), [0, 0])
        const ms = performance.now() - began
        t.ok(ms < 5000, `${Math.round(ms)} ms`)
        t.equal(await sysctls(lab), before, 'the times of the duplicate check are as before')
        if (name === 'SIGSTOP')
          t.match(daemon.log(), /has not answered for 3 s, expected an answer at once: ended, and replaced/)
        t.notMatch(daemon.log(), /defect/)
      },
    )

  for (const { title, hasSetpriv } of [
    { title: 'the kernel ends ip, and wakes the warden', hasSetpriv: true },
    { title: 'the warden ends ip where setpriv cannot', hasSetpriv: false },
  ])
    inLab(
      `the daemon is killed while helpers hang, and nothing is added any more: ${title}`,
      { needs },
      async (t, lab) => {
        if (!hasSetpriv) lab.standIn('setpriv', 'exit 1')
        const daemon = await atWork(lab)
        const children = await helpersOf(daemon)
        signal(
          children.filter(({ command }) => hasSetpriv || !/warden/.test(command)),
          'SIGSTOP',
        )
        const many = manyAddresses('IPv4', 30)
        for (const address of many) void daemon.run('takeip', 'eth0', address, '24').catch(() => {})
        await waitFor('the events', async () => {
          const { out } = await lab.node.run('env', 'CTDB_TEST_MODE=yes', process.execPath, MAIN, 'top')
          return out.includes(many[0] ?? '')
        })
        const addresses = () => lab.node.must('ip', '-o', '-4', 'addr', 'show', 'dev', 'eth0')
        const before = await addresses()
        await daemon.kill('SIGKILL')
        await gone(children)
        t.equal(await addresses(), before)
      },
    )

  inLab(
    'ctdbd dies while all helpers hang: the last act has its own, and none is left',
    { needs },
    async (t, lab) => {
      const ctdbd = execa('sleep', ['600'], { reject: false })
      t.teardown(() => ctdbd.kill('SIGKILL'))
      const daemon = await atWork(lab, ctdbd.pid)
      t.same(await takeAll(daemon), [0, 0])
      const many = manyAddresses('IPv4', 30)
      // some may have come before ctdbd's end was seen: the last act knows them by the list
      const listed = FAMILIES.map(({ ip, bits }) => `${ip}/${bits} eth0`)
      const lines = [...listed, ...many.map((address) => `${address}/24 eth0`)]
      lab.configure('public_addresses', lines.map((line) => `${line}\n`).join(''))
      const children = await helpersOf(daemon)
      signal(children, 'SIGSTOP')
      for (const address of many) void daemon.run('takeip', 'eth0', address, '24').catch(() => {})
      ctdbd.kill('SIGKILL')
      t.equal(await daemon.ended, 3)
      await gone(children)
      t.notMatch(await lab.node.must('ip', '-o', 'addr', 'show', 'dev', 'eth0'), /10\.0\.|fd00::1\//)
      t.notMatch(daemon.log(), /defect/)
      t.match(daemon.log(), /last act: \d+ addresses dropped/)
    },
  )
}
