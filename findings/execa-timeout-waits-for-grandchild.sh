#!/bin/sh
# execa 9.6.0, node 20: `timeout` and `cancelSignal` do not bound how long a call takes. The signal goes to the program
# alone; execa then waits until every holder of the output pipes has closed them, and a shell's child is one. So a limit
# of 0.3 s returns after 2 s (or whenever the child ends), with timedOut and a message that says 300 milliseconds.
# forceKillAfterDelay does not help, as the program is dead; node's own execFile closes the pipes and returns in time.
# What helps: `detached: true` and a signal to the group (process.kill(-pid)), or stdio: 'ignore'. Seen, rounded:
#   timeout                       2.0 s  Command timed out after 300 milliseconds: sh -c 'sleep 2; true'
#   cancelSignal                  2.0 s
#   timeout, stdio: 'ignore'      0.3 s
#   detached, group killed        0.3 s
#   node's execFile, timeout      0.3 s
# Ends with 0: still so; 1: it has changed; 2: it cannot be run here.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

cannot() {
	echo "cannot be run here: $1" >&2
	exit 2
}
command -v npm >/dev/null || cannot "npm is missing"
npm install --prefix "$tmp" --no-audit --no-fund --silent execa@9.6.0 >/dev/null || cannot "npm cannot install execa 9.6.0"

cat >"$tmp/limits.mjs" <<'PROGRAM'
import { execFile } from 'node:child_process'
import { execa } from 'execa'

const command = ['sh', ['-c', 'sleep 2; true']]
const run = options => execa(...command, { reject: false, ...options })
const changed = []

async function check(name, late, act) {
  const start = performance.now()
  const result = await act()
  const ms = performance.now() - start
  console.log(name.padEnd(29), `${(ms / 1000).toFixed(1)} s `, (result.shortMessage ?? '').split('\n')[0])
  if (ms > 1500 !== late) changed.push(`${name}: ${Math.round(ms)} ms`)
  return result
}

const timed = await check('timeout', true, () => run({ timeout: 300, forceKillAfterDelay: 100 }))
if (!timed.timedOut) changed.push('timedOut is not set')
await check('cancelSignal', true, () => run({ cancelSignal: AbortSignal.timeout(300) }))
await check("timeout, stdio: 'ignore'", false, () => run({ timeout: 300, stdio: 'ignore' }))
await check('detached, group killed', false, () => {
  const child = run({ detached: true })
  setTimeout(() => process.kill(-child.pid), 300)
  return child
})
await check("node's execFile, timeout", false, () => new Promise(resolve => {
  execFile(...command, { timeout: 300 }, () => resolve({}))
}))
if (changed.length > 0) console.log(`changed: ${changed.join('; ')}`)
process.exitCode = changed.length > 0 ? 1 : 0
PROGRAM
node "$tmp/limits.mjs"
