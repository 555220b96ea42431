/** What the bench counts and computes. The times themselves are not checked: machines differ. */
import t from 'tap'
import { countPrograms } from './bench/strace.ts'
import { median } from './bench/table.ts'

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

void t.test('the script, with its env, announcements and what comes later do not count', (test) => {
  test.equal(countPrograms(LOG), 1)
  test.equal(countPrograms(''), 0)
  test.end()
})

void t.test('the median of an even number of runs lies between the two in the middle', (test) => {
  test.equal(median([3, 1, 2]), 2)
  test.equal(median([4, 1, 3, 2]), 2.5)
  test.end()
})
