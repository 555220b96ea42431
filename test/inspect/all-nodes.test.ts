/** What only all nodes of a cluster together can tell: owners of addresses, and differences. */
import t from '../tap.ts'
import type { NodeAnswer } from '../../runner/inspect/cluster/ask-nodes.ts'
import { clusterAudit, ownerFaults } from '../../runner/inspect/cluster/audits.ts'
import { differences, nodesText } from '../../runner/inspect/cluster/compare.ts'
import { comparedLists } from '../../runner/inspect/cluster/lists.ts'
import { ownedRows } from '../../runner/inspect/cluster/owners.ts'

const IP = '10.0.0.1'

const said = (...answers: unknown[]): NodeAnswer[] =>
  answers.map((answer, node) => ({ node, address: `10.1.0.${node + 1}`, here: node === 0, answer }))
const silent: NodeAnswer = { node: 9, address: '10.1.0.10', here: false, silent: 'no route' }

/** A row of `ip --json`: where the node believes the address, where its kernel has it. */
const seen = (node: number | null, kernel: string[] = [], parked = false) => [
  { address: IP, node, kernel, parked, state: 'here' },
]
const state = (...answers: NodeAnswer[]) => ownedRows(answers)[0]?.state

t.test('an address has one owner, two, or none', (t) => {
  const here = seen(0, ['eth0/24'])
  t.match(ownedRows(said(here, seen(0))), [
    {
      address: IP,
      views: [{ node: 0, of: [0, 1] }],
      owners: [{ node: 0, places: ['eth0/24'] }],
      state: 'held',
    },
  ])
  t.equal(state(...said(here, seen(0, ['eth1/24']))), 'two-owners')
  t.equal(state(...said(seen(1, ['eth0/24']), seen(1))), 'stray')
  t.equal(state(...said(here, seen(1))), 'disagree')
  t.equal(state(...said(seen(0), seen(0))), 'none')
  t.equal(state(...said(seen(-1), seen(-1))), 'unassigned')
  t.equal(state(...said(seen(0, ['lo/32'], true), seen(0))), 'parked')
  t.equal(state(...said(seen(null), seen(null))), 'unknown', 'ctdbd is silent on both')
  t.end()
})

t.test('a silent node may have it', (t) => {
  t.equal(state(...said(seen(1)), silent), 'unknown')
  t.equal(state(...said(seen(0, ['eth0/24'])), silent), 'held')
  t.equal(state(...said(seen(1), { error: 'of another form' })), 'unknown')
  t.same(ownedRows([silent]), [])
  t.end()
})

t.test('two owners, or none, are faults, with the node that is to act', (t) => {
  const two = ownedRows(said(seen(0, ['eth0/24']), seen(0, ['eth1/24']), seen(0)))
  t.match(ownerFaults(two), [
    {
      kind: 'two-owners',
      subject: IP,
      seen: 'on nodes 0 and 1 at once',
      expected: 'node 0 alone, as CTDB says',
      repair: 'onnode 1 eventscript audit --fix',
    },
  ])
  const undecided = ownerFaults(ownedRows(said(seen(0, ['eth0/24']), seen(1, ['eth1/24']))))
  t.match(undecided, [{ kind: 'two-owners', expected: 'one owner' }])
  t.notOk(undecided[0]?.repair, 'which is wrong is not known')
  t.match(ownerFaults(ownedRows(said(seen(1), seen(1)))), [
    { kind: 'none', seen: 'on no node', repair: 'onnode 1 eventscript audit --fix' },
  ])
  t.same(ownerFaults(ownedRows(said(seen(0, ['eth0/24']), seen(0)))), [])
  t.end()
})

t.test('owners that cannot be count when two rounds show them', async (t) => {
  const audits = (...rows: ReturnType<typeof seen>[]) =>
    said(...rows.map((addresses) => ({ addresses, faults: [], trouble: [] })))
  const bad = audits(seen(0, ['eth0/24']), seen(0, ['eth0/24']))
  const good = audits(seen(0, ['eth0/24']), seen(0))
  const rounds =
    (...answers: NodeAnswer[][]) =>
    () =>
      Promise.resolve(answers.shift() ?? [])
  t.same((await clusterAudit(rounds(bad, good))).faults, [])
  t.match((await clusterAudit(rounds(bad, bad))).faults, [{ kind: 'two-owners' }])
})

t.test('faults of a node, and how to repair them from here', async (t) => {
  const fault = { state: 'error', kind: 'missing', subject: IP, seen: 'nowhere', expected: 'here' }
  const repair = `eventscript run takeip eth0 ${IP} 24`
  const shell = "flock -w 10 '/var/lib/a b' true"
  const answers = said(
    { addresses: [], faults: [{ ...fault, repair }], trouble: ['ctdb was slow'] },
    {
      addresses: [],
      faults: [
        { ...fault, repair: shell },
        { ...fault, repair: null },
      ],
      trouble: [],
    },
  )
  const { faults, trouble } = await clusterAudit(() => Promise.resolve(answers))
  t.same(
    faults.map(({ node, repair: how }) => [node, how]),
    [
      [0, `onnode 0 ${repair}`],
      [1, `onnode 1 'flock -w 10 '\\''/var/lib/a b'\\'' true'`],
      [1, undefined],
    ],
  )
  t.same(trouble, ['node 0: ctdb was slow'])
})

t.test('versions, options and addresses are compared', (t) => {
  const option = (value: string) => ({ kind: 'option', name: 'EVENTSCRIPT_DAD', value })
  const address = { kind: 'address', name: IP, value: '/24 eth0' }
  t.match(differences(said([option('fast'), address], [option('fast'), address])), [
    { state: 'ok', text: 'versions, options and public addresses are the same on nodes 0 and 1' },
  ])
  t.match(differences(said([option('fast'), address], [address], [option('off')])), [
    {
      state: 'warning',
      subject: 'option EVENTSCRIPT_DAD',
      text: 'fast on node 0, not set on node 1, off on node 2: expected the same everywhere',
    },
    {
      state: 'warning',
      subject: `address ${IP}`,
      text: /^\/24 eth0 on nodes 0 and 1, not listed on node 2:/,
    },
  ])
  t.match(differences([...said([address]), silent]), [
    { state: 'warning', text: 'not compared: 1 of 2 nodes have answered' },
  ])
  t.same(
    [nodesText([0]), nodesText([0, 1]), nodesText([0, 1, 2])],
    ['node 0', 'nodes 0 and 1', 'nodes 0, 1 and 2'],
  )
  t.end()
})

t.test('lists of nodes are compared', (t) => {
  const line = (node: number, address: string) => ({
    node,
    address,
    deleted: false,
    line: node + 1,
    problem: null,
  })
  const both = [line(0, '10.1.0.1'), line(1, '10.1.0.2')]
  t.match(comparedLists(said(both, both)), [{ problem: undefined }, { problem: undefined }])
  t.match(comparedLists(said(both, [line(0, '10.1.0.1')], [line(0, '10.1.0.9'), both[1]])), [
    { node: 0, problem: 'but the file of node 2 line 1 has 10.1.0.9' },
    { node: 1, problem: 'the file of node 1 has no node 1' },
  ])
  t.end()
})
