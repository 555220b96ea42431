/** The verdict of an audit: never good where CTDB says that something is bad, or where a part is not known. */
import t from '../tap.ts'
import type { AddressRow } from '../../runner/inspect/addresses.ts'
import { flagFaults, unassignedFaults } from '../../runner/inspect/audit/cluster.ts'
import type { Fault } from '../../runner/inspect/audit/fault.ts'
import { summaryOf } from '../../runner/inspect/audit/summary.ts'
import { FLAGS, type BelievedNode, type Flag } from '../../runner/net/ctdb/daemon-view.ts'

const node = (number: number, ...flags: Flag[]): BelievedNode => ({
  node: number,
  address: `10.1.0.${number + 1}`,
  flags,
  here: number === 0,
})

const row = (address: string, state: AddressRow['state']): AddressRow => ({
  address,
  held: [],
  parked: false,
  state,
})

const fault: Fault = { state: 'error', kind: 'missing', subject: '10.0.0.1', seen: '', expected: '' }

t.test('each flag of this node is a fault, those of other nodes are none', (t) => {
  t.same(flagFaults([node(0), node(1, 'Banned', 'Inactive')]), [])
  for (const flag of FLAGS.filter((each) => each !== 'Inactive'))
    t.match(flagFaults([node(0, flag), node(1)]), [
      {
        state: flag === 'PartiallyOnline' ? 'warning' : 'error',
        kind: 'node-flag',
        subject: 'node 0',
        seen: new RegExp(`^${flag.toUpperCase()}: `),
      },
    ])
  const two = flagFaults([node(0, 'Banned', 'Unhealthy', 'Inactive')]).map(({ seen }) => seen.split(':')[0])
  t.same(two, ['BANNED', 'UNHEALTHY'])
  const lost = flagFaults([node(0, 'Disconnected', 'Banned', 'Unhealthy')]).map(
    ({ seen }) => seen.split(':')[0],
  )
  t.same(lost, ['DISCONNECTED'], 'the other flags of a lost node are old')
  t.end()
})

t.test('an address that nobody hosts is a fault, which says why no node can', (t) => {
  const rows = [row('10.0.0.1', 'unassigned'), row('10.0.0.2', 'elsewhere')]
  const expected = (nodes: BelievedNode[]) => unassignedFaults(rows, nodes).map((each) => each.expected)
  t.match(unassignedFaults(rows, []), [{ state: 'error', kind: 'unassigned', subject: '10.0.0.1' }])
  t.same(expected([node(0, 'Disabled'), node(1, 'Banned', 'Inactive'), node(2, 'Disabled', 'Unhealthy')]), [
    'a node to host it: no node can: 0 (DISABLED), 1 (BANNED), 2 (UNHEALTHY+DISABLED)',
  ])
  t.same(expected([node(0, 'Disabled'), node(1)]), [
    'a node to host it: of the nodes 0 (DISABLED), 1 (OK) none has it in its public_addresses with an interface that has a link',
  ])
  t.end()
})

t.test('the last line names what it covers, and what is not known', (t) => {
  const rows = [row('10.0.0.1', 'here'), row('10.0.0.2', 'elsewhere')]
  const all = { rows, own: 0, faults: [], trouble: [] }
  const counted = '2 public addresses, 1 of them here'
  t.equal(
    summaryOf(all),
    `nothing is wrong: ${counted}; node 0 is OK to CTDB; routes, firewall and sysctls were looked at`,
  )
  t.equal(summaryOf({ ...all, faults: [fault] }), `1 wrong, 0 weak: ${counted}`)
  const parked = (subject: string): Fault => ({ ...fault, state: 'warning', kind: 'parked', subject })
  t.equal(
    summaryOf({ ...all, faults: [parked('10.0.0.1')] }),
    `1 parked, which another host has: 10.0.0.1: ${counted}`,
  )
  const six = [1, 2, 3, 4, 5, 6, 7].map((i) => parked(`10.0.0.${i}`))
  t.equal(
    summaryOf({ ...all, faults: [fault, ...six] }),
    `1 wrong, 0 weak; 7 parked, which another host has: 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, and 2 more: ${counted}`,
  )
  const trouble = ['ctdbd does not answer']
  t.equal(
    summaryOf({ ...all, faults: [fault], trouble }),
    `not all could be looked at, 1 wrong, 0 weak: ${counted}`,
  )
  t.equal(
    summaryOf({ rows, faults: [], trouble }),
    'not all could be looked at, no fault in the rest: 2 public addresses, where they should be is not known',
  )
  t.equal(
    summaryOf({ rows: [], faults: [], trouble }),
    'not all could be looked at, no fault in the rest: which public addresses there are is not known',
  )
  t.end()
})
