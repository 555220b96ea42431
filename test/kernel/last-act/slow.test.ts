/** The last act and `eventscript cleanup` where iptables is slow or hangs: the addresses go first, in good time. */
import { FAMILIES, manyAddresses } from '../../lab/families.ts'
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { start } from './dying.ts'

const needs = ['iptables', 'ip6tables', 'ss']
/** Of each family. */
const COUNT = 125
/** Milliseconds for all addresses to be gone, in a lab that other tests share the processors with. */
const SOON_MS = 5000

/** All of them on eth0, and listed. */
async function holdMany(lab: Lab): Promise<void> {
  const all = FAMILIES.flatMap(({ family, bits }) =>
    manyAddresses(family, COUNT).map((address) => `${address}/${bits}`),
  )
  lab.configure('public_addresses', all.map((each) => `${each} eth0\n`).join(''))
  const nodad = (each: string) => (each.includes(':') ? ' nodad' : '')
  lab.configure('batch', all.map((each) => `addr add ${each} dev eth0${nodad(each)}\n`).join(''))
  await lab.node.must('ip', '-batch', `${lab.dir}/etc/batch`)
}

/** How many are here. */
async function heldOf({ node }: Lab): Promise<number> {
  const text = await node.must('ip', '-o', 'addr', 'show', 'dev', 'eth0')
  return text.split('\n').filter((line) => / 10\.0\.0\.| fd00::/.test(line)).length
}

/** Milliseconds from when the first goes, which is when the work begins, until none is here. */
async function untilNone(lab: Lab): Promise<number> {
  await waitFor('the first address to go', async () => (await heldOf(lab)) < 2 * COUNT)
  const began = performance.now()
  await waitFor('the addresses to go', async () => (await heldOf(lab)) === 0)
  return performance.now() - began
}

/** They never end by themselves, and a TERM does not end them. */
function hang(lab: Lab): void {
  for (const program of ['iptables', 'ip6tables', 'ss'])
    lab.standIn(program, `trap '' TERM; while :; do sleep 600; done`)
}

if (!(await prepareFile())) {
  inLab('ctdbd dies while iptables and ss hang: every address goes at once', { needs }, async (t, lab) => {
    hang(lab)
    const { ctdbd, daemon } = await start(lab)
    await holdMany(lab)
    t.equal(await heldOf(lab), 2 * COUNT)
    ctdbd.kill('SIGKILL')
    const ms = await untilNone(lab)
    t.ok(ms < SOON_MS, `${Math.round(ms)} ms for ${2 * COUNT} addresses`)
    t.equal(await daemon.ended, 3)
    t.match(daemon.log(), new RegExp(`last act: ${2 * COUNT} addresses dropped`))
    t.match(
      daemon.log(),
      /last act: whether a rule of ip6tables still drops what arrives cannot be seen: .*: look with "ip6tables -w 3 -S INPUT"/,
    )
    const ended = Number(/last act: \d+ addresses dropped \((\d+) ms\)/.exec(daemon.log())?.[1])
    t.ok(ended < 8000, `all of it took ${ended} ms: a new daemon waits for 8,500`)
  })

  inLab(
    'cleanup while iptables and ss hang: every address goes, the rest is named within --timeout',
    { needs },
    async (t, lab) => {
      await holdMany(lab)
      hang(lab)
      const began = performance.now()
      const cleaning = lab.eventscript('cleanup', '--timeout', '20')
      const ms = await untilNone(lab)
      t.ok(ms < SOON_MS, `${Math.round(ms)} ms for ${2 * COUNT} addresses`)
      const { status, out, err } = await cleaning
      const seconds = (performance.now() - began) / 1000
      t.ok(seconds < 20.5, `ended after ${seconds.toFixed(1)} s`)
      t.equal(status, 1)
      t.match(out, new RegExp(`^${2 * COUNT} addresses dropped$`, 'm'))
      t.match(out, /^10\.interface +TIMEDOUT .* while running "ip6?tables -w 3 -S INPUT"$/m)
      t.match(lines({ status, out: '', err }), [
        /^eventscript: whether a rule of iptables still drops what arrives cannot be seen: "iptables -w 3 -S INPUT" was ended after .* s: look with "iptables -w 3 -S INPUT"$/,
        /^eventscript: whether a rule of ip6tables still drops what arrives cannot be seen: /,
      ])
      t.notMatch(err, 'is still on')
    },
  )

  inLab('cleanup where each iptables takes 3 s: everything is done', { needs }, async (t, lab) => {
    for (const { ip, iptables } of FAMILIES)
      await lab.node.must(iptables, '-w', '3', '-I', 'INPUT', '-i', 'eth0', '-d', ip, '-j', 'DROP')
    for (const { ip, bits } of FAMILIES)
      await lab.node.must('ip', 'addr', 'add', `${ip}/${bits}`, 'dev', 'eth0')
    for (const { iptables } of FAMILIES) lab.standIn(iptables, 'sleep 3; exec $real "$@"')
    const began = performance.now()
    const { status, out, err } = await lab.eventscript('cleanup')
    t.comment(`${((performance.now() - began) / 1000).toFixed(1)} s`)
    t.strictSame({ status, err }, { status: 0, err: '' })
    t.match(out, /^2 addresses dropped, 2 firewall rules removed$/m)
    t.equal(await heldOf(lab), 0)
    for (const { iptables } of FAMILIES) lab.standIn(iptables, 'exec $real "$@"')
    t.strictSame(await lab.node.dropRules(), [])
  })

  inLab('--timeout takes seconds, and nothing else', {}, async (t, lab) => {
    for (const wrong of ['0', 'soon', '-1', '4000']) {
      const { status, err } = await lab.eventscript('cleanup', `--timeout=${wrong}`)
      t.strictSame(
        { status, err },
        { status: 2, err: `eventscript: --timeout ${wrong}: expected seconds, such as 10\n` },
      )
    }
  })
}
