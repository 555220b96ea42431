/**
 * `npm run record:lvs`: the scenarios of 91.lvs, each run for real in a lab of its own on the kernel of user-mode
 * Linux, which has IPVS. Written to fixtures/91.lvs; a recording is replaced only when more than times differs.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Lab } from '../lab/lab.ts'
import { DIST, MAIN } from '../lab/paths.ts'
import { bootUml, whyNoUml } from '../uml/uml.ts'
import { Stage } from './scenarios/stage.ts'
import { timeless } from './timeless.ts'
import { lvsScenarios, type LvsScenario } from './scenarios/lvs.ts'
import { LvsGroup, type GroupNode } from '../kernel/lvs/lvs-group.ts'

const FOLDER = join(DIST, '../fixtures/91.lvs')
/** For all of them; each takes some 20 s in there. */
const SECONDS = 1500

if (process.env['RECORD_INTO']) await inside(process.env['RECORD_INTO'])
else await outside()

async function outside(): Promise<void> {
  const why = whyNoUml()
  if (why) throw new Error(why)
  // what the labs share with the tests brings tap along, which would end us after 30 s
  const words = { TAP_TIMEOUT: '0', RECORD_INTO: '/run/out', ONLY: process.argv.slice(2).join(',') }
  const guest = await bootUml(['dist/test/record/record-lvs.js'], SECONDS, words)
  mkdirSync(FOLDER, { recursive: true })
  for (const name of readdirSync(guest.out).filter((file) => file.endsWith('.txt'))) {
    const [now, then] = [join(guest.out, name), join(FOLDER, name)]
    if (existsSync(then) && timelessFile(now) === timelessFile(then)) continue
    process.stdout.write(`${name}: ${existsSync(then) ? 'CHANGED' : 'new'}\n`)
    copyFileSync(now, then)
  }
  process.stdout.write(readFileSync(join(guest.out, 'record-lvs.js.err'), 'utf8'))
  if (!guest.finished) throw new Error(`the guest did not finish in ${SECONDS} s: ${guest.console}`)
  guest.close()
}

async function inside(folder: string): Promise<void> {
  const only = (process.env['ONLY'] ?? '').split(',')
  for (const scenario of lvsScenarios.filter(({ name }) => only.some((part) => name.includes(part))))
    try {
      writeFileSync(join(folder, `${scenario.name}.txt`), await record(scenario))
    } catch (error) {
      process.stderr.write(`${scenario.name}: NOT RECORDED: ${String(error)}\n`)
    }
}

async function record({ family, members, event, prepare }: LvsScenario): Promise<string> {
  const lab = await Lab.start({ asRoot: true })
  try {
    await new Stage(lab).settle()
    const group = await LvsGroup.start(lab, family, members)
    const node = group.nodes[0]
    if (!node) throw new Error('no node')
    await prepare?.(group, node)
    const file = join(lab.dir, 'recording.txt')
    const env = [...Object.entries(node.env).map(([name, value]) => `${name}=${value}`), ...options(node)]
    const words = [process.execPath, MAIN, 'run', '--only', '91.lvs', '--record', file, '--overwrite', event]
    await node.host.run('/usr/bin/env', ...env, ...words)
    const text = readFileSync(file, 'utf8')
    return text.replaceAll(lab.dir, '/lab').replaceAll(DIST.replace(/\/$/, ''), '/usr/lib/eventscript')
  } finally {
    await lab.close()
  }
}

/** By the environment rather than from the file, which a shell reads: its command names all options there are. */
function options({ dir }: GroupNode): string[] {
  const file = join(dir, 'etc/script.options')
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  rmSync(file)
  return lines
}

function timelessFile(file: string): string {
  return timeless(readFileSync(file, 'utf8'))
}
