/** The counts and computations of the bench. The times themselves are not checked, because machines differ. */
import t from '../tap.ts'
import { addresses } from '../bench/bulk/addresses.ts'
import type { BulkMeasured } from '../bench/bulk/inside.ts'
import { plot } from '../bench/bulk/plot.ts'
import { bulkRows, mishaps, targets } from '../bench/bulk/table.ts'
import { countPrograms } from '../bench/strace.ts'
import { median } from '../bench/table.ts'

const LOG = `100   execve("/usr/bin/x.script", ["x.script", "takeip"], 0x7ff /* 9 vars */) = 0
100   execve("/usr/local/bin/node", ["node", "x.script"], 0x7ff /* 9 vars */) = -1 ENOENT (No such file)
100   execve("/usr/bin/node", ["node", "x.script"], 0x7ff /* 9 vars */) = 0
100   clone3({flags=CLONE_THREAD, child_tid=0x7f}, 88) = 101
101   clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
101   <... clone resumed>) = 102
102   execve("/usr/sbin/ip", ["ip", "addr", "add"], 0x7ff /* 9 vars */ <unfinished ...>
102   <... execve resumed>) = 0
102   +++ exited with 0 +++
100   vfork() = 103
103   execve("/opt/announce.cjs", ["announce.cjs", "10.0.0.1"], 0x7ff /* 9 vars */) = 0
103   clone(child_stack=NULL, flags=SIGCHLD) = 104
104   execve("/usr/sbin/ip", ["ip", "addr", "show"], 0x7ff /* 9 vars */) = 0
100   +++ exited with 0 +++
105   execve("/usr/bin/later", ["later"], 0x7ff /* 9 vars */) = 0
`

void t.test('the script, with its env, announcements and later programs do not count', (test) => {
  test.equal(countPrograms(LOG), 1)
  test.equal(countPrograms(''), 0)
  test.end()
})

void t.test('the median of an even number of runs lies between the two in the middle', (test) => {
  test.equal(median([3, 1, 2]), 2)
  test.equal(median([4, 1, 3, 2]), 2.5)
  test.end()
})

/** Each address costs 2 ms more, and each is announced 10 ms after its reply. */
function linear(size: number): BulkMeasured {
  const ms = 100 + 2 * size
  const outcome = { ms, ok: size, failed: 0, timedOut: 0, unanswered: 0, wire: ms + 10, announced: size }
  return { task: 'takeip IPv4', contestant: 'ours, resident', size, outcomes: [outcome] }
}

function late(size: number): BulkMeasured {
  const outcomes = [{ ms: 30_000, ok: size - 3, failed: 1, timedOut: 2, unanswered: 0 }]
  return { task: 'takeip IPv4', contestant: "CTDB's daemon", size, outcomes }
}

void t.test('the cost of an additional address is the same everywhere where growth is linear', (test) => {
  const rows = bulkRows([60, 250, 1000].map(linear))
  test.same(
    rows.map(({ task }) => task),
    ['takeip IPv4', 'announced IPv4'],
  )
  for (const { growth } of rows)
    test.same(
      growth.map((ms) => ms?.toFixed(3)),
      ['2.000', '2.000'],
    )
  const told = targets(rows).join('\n')
  test.match(told, '✗ takeip IPv4, ours, resident, 250: 0.600 s, at most 0.15 s')
  test.match(told, '✓ takeip IPv4, ours, resident, 1000: 3.5 × the time of 250')
  test.end()
})

void t.test(
  'a burst with failed addresses is counted, is drawn as a ring, and gives no figure of growth',
  (test) => {
    const measured = [late(60), late(250)]
    const rows = bulkRows(measured)
    test.same(
      rows.map(({ task, growth }) => [task, growth]),
      [['takeip IPv4', [undefined, undefined]]],
    )
    test.match(mishaps(measured), [/60: 57 of 60 succeeded, 1 failed, 2 timed out/, /247 of 250/])
    test.match(plot(rows), /<circle class="stock broken".*not all succeeded/)
    test.end()
  },
)

void t.test('no two contestants share an address', (test) => {
  for (const family of ['IPv4', 'IPv6'] as const) {
    const all = [0, 1, 5].flatMap((contestant) => addresses(family, contestant, 1000))
    test.equal(new Set(all).size, 3000)
  }
  test.end()
})
