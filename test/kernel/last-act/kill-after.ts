/**
 * One of our scripts as CTDB calls it, in a process group of its own that is killed right after its k-th step: a program
 * that changes something, a write, a lock. Looks are no steps: a script that is killed after a look has changed nothing since the
 * last. What stands behind the door is hooked (node's own spawn, rename and write), so it is the script that is shipped
 * which dies.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from '../../lab/host/namespace.ts'
import type { Lab } from '../../lab/lab.ts'
import { DIST } from '../../lab/paths.ts'

const HOOK = `const fs = require('node:fs'), cp = require('node:child_process'), { basename } = require('node:path')
const { KILL_AFTER, KILL_LOG } = process.env, paths = new Map()
const { openSync, renameSync, writeSync, appendFileSync } = fs, { spawn } = cp
let count = 0
function step(what) {
  appendFileSync(KILL_LOG, what + '\\n')
  if (++count === Number(KILL_AFTER)) { process.kill(0, 'SIGKILL'); for (;;); }
}
fs.openSync = (path, ...more) => { const fd = openSync(path, ...more); paths.set(fd, path); return fd }
fs.writeSync = (fd, ...more) => { const n = writeSync(fd, ...more); if (/^.proc/.test(paths.get(fd))) step('write ' + paths.get(fd)); return n }
fs.renameSync = (from, to) => { step('draft of ' + to); renameSync(from, to); step('write ' + to) }
const CHANGES = /^(ip (?!-json|-[46] -json)|ip6?tables -w 3 -[ID]|ss -K|ctdb (setifacelink|addtickle|deltickle|tickle)|flock)/
cp.spawn = (program, words, options) => {
  const child = spawn(program, words, options), what = [basename(program), ...words].join(' ')
  if (options.detached) step('start ' + what)
  else if (CHANGES.test(what)) child.on('exit', () => step(what))
  return child
}
`

/** Run a handler's event; after its `k`-th step it is killed. Gives back the steps that it has come to. */
export async function killAfter(
  lab: Lab,
  k: number,
  [handler, ...event]: readonly string[],
): Promise<{ result: Result; steps: string[] }> {
  const [hook, log] = [join(lab.dir, 'kill-after.cjs'), join(lab.dir, 'steps')]
  writeFileSync(hook, HOOK)
  rmSync(log, { force: true })
  writeFileSync(log, '')
  const script = join(DIST, `events.d/${handler}.script`)
  const env = [`KILL_AFTER=${k}`, `KILL_LOG=${log}`]
  const result = await lab.node.run(
    'setsid', // its process group is its own, as ctdb-eventd has it: the test is not in it
    '-w',
    'env',
    ...env,
    process.execPath,
    '--require',
    hook,
    script,
    ...event,
  )
  return { result, steps: readFileSync(log, 'utf8').split('\n').filter(Boolean) }
}

/** The same, not killed. */
export function learnSteps(lab: Lab, event: readonly string[]): Promise<{ result: Result; steps: string[] }> {
  return killAfter(lab, 0, event)
}
