/** `eventscript why`: the first line names the cause, from what the nodes have told. */
import t from '../tap.ts'
import type { NodeAnswer } from '../../runner/inspect/cluster/ask-nodes.ts'
import { whyAddress } from '../../runner/inspect/why/address.ts'
import type { Evidence, SeenAddress } from '../../runner/inspect/why/evidence.ts'
import { whyNode } from '../../runner/inspect/why/node.ts'
import { viewsOf } from '../../runner/inspect/why/views.ts'
import type { Flag } from '../../runner/net/ctdb/daemon-view.ts'

const IP = '10.0.0.1'

const seen = (more: Partial<SeenAddress>): SeenAddress => ({
  address: IP,
  believed: 0,
  listed: '/24 eth0',
  ifaces: ['eth0'],
  kernel: [],
  parked: false,
  ...more,
})

/** What a node tells that is well. `flags` are those of nodes 0 and 1. */
const told = (more: Partial<Evidence> = {}, flags: readonly Flag[][] = [[], []]): Evidence => ({
  nodes: flags.map((each, node) => ({ node, address: `10.1.0.${node + 1}`, flags: each, here: node === 0 })),
  scripts: [{ name: '10.interface', outcome: 'ok', seconds: 0.1 }],
  hung: [],
  addresses: [seen({})],
  links: [{ name: 'eth0', state: 'ok', link: true }],
  faults: [],
  trouble: [],
  macs: [],
  wire: [{ iface: 'eth0', answer: 'nobody' }],
  ...more,
})

/** The answers of nodes 0 and 1; a text is a reason for silence. */
const views = (...answers: (Evidence | string)[]) =>
  viewsOf(
    answers.map((answer, node): NodeAnswer => {
      const from = { node, address: `10.1.0.${node + 1}`, here: node === 0 }
      return typeof answer === 'string' ? { ...from, silent: answer } : { ...from, answer }
    }),
  )

const here = told({ addresses: [seen({ kernel: ['eth0/24'] })] })
const first = (...answers: (Evidence | string)[]) => whyAddress(IP, views(...answers)).answer

t.test('an address that is well', (t) => {
  t.match(whyAddress(IP, views(here, told())), {
    answer: `${IP} is on node 0: eth0/24, as CTDB says`,
    isWell: true,
    evidence: [
      ['configured', '/24 eth0 on nodes 0 and 1'],
      ['CTDB', 'node 0'],
      ['kernel', 'node 0: eth0/24'],
      ['wire', 'eth0 of node 0: nobody else answers; eth0 of node 1: nobody else answers'],
      ['node 0', 'hosts it: eth0/24'],
      ['node 1', 'could host it'],
    ],
    remedies: /^$/,
  })
  t.end()
})

t.test('an address that has more than one owner, or another', (t) => {
  t.equal(first(here, here), `${IP} is on nodes 0 and 1 at once: CTDB says node 0`)
  t.same(whyAddress(IP, views(here, here)).remedies, ['onnode 1 eventscript audit --fix'])
  const rogue = { ...here, wire: [{ iface: 'eth0', answer: { mac: '02:00:00:00:00:09' } }] }
  t.equal(
    first(rogue, told()),
    `${IP} is on node 0, and a host outside the cluster has it too: 02:00:00:00:00:09 answers on eth0 of node 0`,
  )
  t.match(first(rogue, told({ macs: ['02:00:00:00:00:09'] })), /^\S+ is on node 0: /, 'that is node 1')
  const parked = told({ addresses: [seen({ kernel: ['lo/32'], parked: true, rival: '02:00:00:00:00:09' })] })
  t.match(first(parked, told()), /^\S+ is not on the wire here, and a host outside .*: 02:00:00:00:00:09 /)
  t.end()
})

t.test('a fault of its node', (t) => {
  const fault = { state: 'error', kind: 'drop-rule', seen: 'a rule blocks it', expected: 'no rule' } as const
  const repair = 'flock …'
  const faulty = (subject: string) => ({ ...here, faults: [{ ...fault, subject, repair }] })
  t.equal(first(faulty(IP), told()), `${IP} is on node 0, but a rule blocks it: expected no rule`)
  t.same(whyAddress(IP, views(faulty(IP), told())).remedies, [`on node 0: ${repair}`])
  t.match(first(faulty('eth0'), told()), /but a rule blocks it/, 'the interface on which it is')
  t.match(first(faulty('10.0.0.10'), told()), /as CTDB says$/, "another address's")
  const missing = told({
    faults: [{ ...fault, kind: 'missing', subject: IP, seen: 'nowhere', expected: 'here' }],
  })
  t.equal(first(missing, told()), `${IP} should be on node 0: nowhere: expected here`)
  t.end()
})

t.test('an address on no node: the reason of each', (t) => {
  const nowhere = { addresses: [seen({ believed: -1 })] }
  const flags: Flag[][] = [['Unhealthy'], []]
  const failing = told(
    { ...nowhere, scripts: [{ name: '50.samba', outcome: 'failed', seconds: 1, output: ['no smbd'] }] },
    flags,
  )
  const noLink = told({ ...nowhere, links: [{ name: 'eth0', state: 'down', link: false }] }, flags)
  t.equal(
    first(failing, noLink),
    `${IP} is on no node: node 0: UNHEALTHY: 50.samba failed: no smbd; node 1: eth0: no link`,
  )
  const unlisted = told({ addresses: [] }, flags)
  t.match(first(failing, unlisted), /; node 1: not in its public_addresses$/)
  const unread = told({ addresses: [], unread: 'cannot read public_addresses' }, flags)
  t.match(first(failing, unread), /; node 1: cannot read public_addresses$/)
  t.match(whyAddress(IP, views(failing, told(nowhere, flags))), {
    answer: /; node 1: could host it$/,
    remedies: ['"ctdb ipreallocate" lets CTDB place it again'],
  })
  t.equal(
    whyAddress('10.9.9.9', views(told(), told())).answer,
    '10.9.9.9 is no public address: it is not in public_addresses of nodes 0 and 1',
  )
  t.end()
})

t.test('what only a silent node knows is not known', (t) => {
  const there = told({ addresses: [seen({ believed: 1 })] })
  t.match(whyAddress(IP, views(there, 'no route')), {
    answer: `${IP} is on node 1, as CTDB says: that node is silent: not known from here: run "eventscript why ${IP}" on node 1`,
    isWell: false,
  })
  t.equal(whyAddress(IP, views(here, 'no route')).isWell, false, 'the silent one may have it, too')
  const [, silent] = views(told({}, [[], ['Banned']]), 'no route')
  t.match(silent && whyNode(silent), {
    answer: 'node 1 is BANNED: not known from here: run "eventscript why" on node 1 (no route)',
    isWell: false,
  })
  const [, other] = viewsOf([
    { node: 0, address: '10.1.0.1', here: true, answer: told() },
    { node: 1, address: '10.1.0.2', here: false, answer: [] },
  ])
  t.match(other?.silent, /of another form/)
  t.end()
})

t.test('a node: the worst cause comes first', (t) => {
  const answer = (more: Partial<Evidence>, flags: Flag[] = []) => {
    const [view] = views(told(more, [flags, []]), told())
    return view ? whyNode(view).answer : ''
  }
  t.equal(answer({}), 'node 0 is OK: it hosts 1 public addresses')
  t.match(answer({}, ['Disabled']), /^node 0 is DISABLED: somebody has disabled it/)
  const failed = [{ name: '50.samba', outcome: 'failed', seconds: 1, output: ['no smbd', 'more'] }] as const
  t.equal(answer({ scripts: [...failed] }, ['Unhealthy']), 'node 0 is UNHEALTHY: 50.samba failed: no smbd')
  t.equal(
    answer({ scripts: [...failed], hung: ['60.nfs monitor (pid 7, 70 s)'] }, ['Unhealthy']),
    'node 0 is UNHEALTHY: 60.nfs monitor (pid 7, 70 s) hangs',
  )
  t.equal(
    answer({ unread: 'cannot read public_addresses' }),
    'node 0 is OK: cannot read public_addresses',
    'CTDB has not seen it yet',
  )
  const flagged = {
    state: 'error',
    kind: 'node-flag',
    subject: 'node 0',
    seen: 'BANNED',
    expected: 'OK',
  } as const
  t.match(
    answer({ faults: [flagged] }, ['Banned']),
    /^node 0 is BANNED: it hosts no public address until the ban is over$/,
    'said once',
  )
  const mute = told({ nodes: 'no answer', scripts: 'no answer' })
  const [view] = views(mute, mute)
  t.match(view && whyNode(view), { answer: /^node 0 is in a state that no ctdbd tells/, isWell: false })
  t.end()
})
