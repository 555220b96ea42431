/**
 * The ctdb tool hangs, fails, or prints half an answer or none: every command of the program ends without a stack, prints what
 * it knows without CTDB, and its exit status says that something is missing. A new command is covered by itself.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { commandsFor } from '../../../runner/bin/commands.ts'
import type { Test } from '../../tap.ts'
import type { Result } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { MAIN, REPOSITORY } from '../../lab/paths.ts'

/** What the tool does in place of an answer, in shell; and what a listing says of that. */
const TOOLS: Record<string, [string, RegExp]> = {
  hangs: ['exec sleep 600', /ctdbd does not answer: "ctdb [^"]+" was ended after \d/],
  fails: ['echo "connect() failed, errno=111" >&2; exit 1', /" failed: connect\(\) failed, errno=111/],
  'prints nothing': ['exit 0', /printed "": expected a number|printed nothing: expected a table/],
  'stops in its second answer': [
    '[ "$1" = pnn ] && exec echo 0\nprintf "|Name|LinkStatus|References|\\n|eth0|1"',
    /printed .*: expected/,
  ],
}

interface Words {
  words: readonly string[]
  /** What the command prints that it knows without CTDB. */
  knows?: RegExp
  /** What CTDB says is no part of how an event ends. */
  mayEndWell?: true
}

const HERE = /10\.0\.0\.1 .*eth0\/24/
const RECORDING = join(REPOSITORY, 'fixtures/10.interface/monitor.all-up.txt')

/** The words of a command that needs some, or has a limit. A command that is not here is called by its name alone. */
const WORDS: Record<string, Words> = {
  run: { words: ['--timeout', '5', 'monitor'], knows: /^10\.interface/m, mayEndWell: true },
  explain: { words: ['takeip', 'eth0', '10.0.0.1', '24'], knows: /^10\.interface/m, mayEndWell: true },
  replay: { words: [RECORDING], knows: /as recorded/ },
  // the process that it would serve is not there: the daemon lets the addresses go, and ends
  eventd: { words: ['--pid', '4194303'] },
  install: { words: ['--dry-run'] },
  uninstall: { words: ['--dry-run'] },
  list: { words: [], knows: /^10\.interface/m },
  ip: { words: ['-t', '6'], knows: HERE },
  ifaces: { words: ['-t', '6'], knows: /^eth0 /m },
  nodes: { words: ['-t', '6'], knows: /10\.1\.0\.1/ },
  audit: { words: ['-t', '8'], knows: HERE },
  doctor: { words: ['-t', '30'], knows: /^ERROR +ctdb: ctdbd does not answer: /m },
  check: { words: ['-t', '6'], knows: /^CTDB UNKNOWN - / },
  metrics: { words: ['-t', '6'], knows: /^eventscript_up 0$/m },
  cleanup: { words: ['--dry-run'] },
}

/** Changes what the others look at. */
const LAST = 'eventd'

/** Commands that run at the same time: most of their time they wait. */
const AT_ONCE = 3

/** Tells its version all the same, and marks who has asked it for more. */
function replaceTool(lab: Lab, shell: string): void {
  mkdirSync(join(lab.dir, 'asked'))
  lab.standIn('ctdb', `[ "$1" = version ] && exec echo 4.17.12\n: >"${lab.dir}/asked/$ASKER"\n${shell}`)
}

/** A node with an address that CTDB would say it hosts. */
async function furnish(lab: Lab): Promise<void> {
  lab.configure('nodes', '10.1.0.1\n')
  lab.configure('public_addresses', '10.0.0.1/24 eth0\n')
  await lab.node.must('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0')
}

async function ask(lab: Lab, name: string): Promise<Result> {
  const words = WORDS[name]?.words ?? []
  return await lab.node.run('/usr/bin/env', `ASKER=${name}`, process.execPath, MAIN, name, ...words)
}

function expectTruth(
  t: Test,
  name: string,
  { status, out, err }: Result,
  isAsked: boolean,
  said: RegExp,
): void {
  const { knows, mayEndWell } = WORDS[name] ?? { words: [] }
  const all = `${out}\n${err}`
  t.notMatch(all, /^ +at .*[/(:]|DOMException|node:internal/m, `${name}: no stack`)
  t.ok(err.split('\n').length <= 3, `${name}: a line for each part that is missing: ${err}`)
  if (knows) t.match(out, knows, `${name}: what is known is printed`)
  if (!isAsked || mayEndWell) return
  t.not(status, 0, `${name}: the exit status says that something is missing`)
  t.match(all, said, `${name}: and a line says what`)
}

const why = await prepareFile()
const names = (await commandsFor(undefined)).map(({ usage }) => usage.split(' ', 1)[0]!)

if (!why)
  for (const [what, [shell, said]] of Object.entries(TOOLS))
    inLab(`the ctdb tool ${what}: every command tells the truth`, {}, async (t, lab) => {
      await furnish(lab)
      replaceTool(lab, shell)
      const isAsked = (name: string) => existsSync(join(lab.dir, 'asked', name))
      const left = names.filter((name) => name !== LAST)
      const some = async () => {
        for (let name = left.shift(); name !== undefined; name = left.shift())
          expectTruth(t, name, await ask(lab, name), isAsked(name), said)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, some))
      expectTruth(t, LAST, await ask(lab, LAST), isAsked(LAST), said)
      const asked = names.filter(isAsked)
      for (const name of ['ip', 'ifaces', 'audit', 'check', 'metrics', 'doctor'])
        t.ok(asked.includes(name), `${name} has asked`)
    })
