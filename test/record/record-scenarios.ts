/**
 * `npm run record [NAME…]`: run every scenario for real, each in a lab of its own, and write what was asked and
 * changed to fixtures/NN.name. Safe to repeat: a recording is replaced only when more than times differs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Lab } from '../lab/lab.ts'
import { whyNoLab } from '../lab/needs.ts'
import { DIST, MAIN } from '../lab/paths.ts'
import { findHandlers } from '../../runner/engine/find-handlers.ts'
import { edit } from './edited.ts'
import { conflict } from './scenarios/conflict.ts'
import { dad } from './scenarios/dad.ts'
import { edited } from './scenarios/edited.ts'
import { monitor } from './scenarios/monitor.ts'
import { node } from './scenarios/node.ts'
import { perIpRouting, staticRouting } from './scenarios/routing.ts'
import { releaseip } from './scenarios/releaseip.ts'
import { Stage, type Scenario } from './scenarios/stage.ts'
import { takeip } from './scenarios/takeip.ts'
import { updateip } from './scenarios/updateip.ts'
import { timeless } from './timeless.ts'

const FIXTURES = join(DIST, '../fixtures')
/** By handler, whose name is that of the folder. */
const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = {
  '10.interface': [...takeip, ...releaseip, ...updateip, ...monitor, ...node, ...dad, ...conflict],
  '11.routing': staticRouting,
  '13.per_ip_routing': perIpRouting,
}
/** Whose recordings the edited ones are made from. */
const EDITED = '10.interface'
/** Labs that run at once: most of the time is spent waiting for duplicate checks and locks. */
const AT_ONCE = 4

async function record(handler: string, { event, prepare, as = [] }: Scenario): Promise<string> {
  const lab = await Lab.start()
  const stage = new Stage(lab)
  try {
    await stage.settle()
    await prepare?.(stage)
    const file = join(lab.dir, 'recording.txt')
    // no ctdbd runs here that could be asked who has the address
    const words = ['--force', '--only', handler, '--record', file, '--overwrite', ...event.split(' ')]
    const { err } = await lab.node.run(...as, process.execPath, MAIN, 'run', ...words)
    if (err !== '') throw new Error(err)
    return normal(readFileSync(file, 'utf8'), lab.dir)
  } finally {
    await stage.end()
    await lab.close()
  }
}

/** Folders that are another every time, or on every machine. */
function normal(text: string, dir: string): string {
  return text.replaceAll(dir, '/lab').replaceAll(DIST.replace(/\/$/, ''), '/usr/lib/eventscript')
}

/** Writes the file if it says anything new; times, and the order in which the kernel lists things, are not new. */
function save(handler: string, name: string, text: string): string {
  const file = join(FIXTURES, handler, `${name}.txt`)
  const old = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  if (old !== undefined && timeless(old) === timeless(text)) return 'as before'
  writeFileSync(file, text)
  return old === undefined ? 'new' : 'CHANGED'
}

/** Made from the recordings as they are now, and therefore last. */
async function saveEdited(): Promise<void> {
  const handlers = findHandlers(join(DIST, 'events.d'))
  for (const each of edited) {
    const base = readFileSync(join(FIXTURES, EDITED, `${each.from}.txt`), 'utf8')
    const told = save(EDITED, `${each.name}.edited`, await edit(each, base, handlers))
    if (told !== 'as before') process.stdout.write(`${each.name}.edited: ${told}\n`)
  }
}

async function main(wanted: readonly string[]): Promise<void> {
  const why = await whyNoLab()
  if (why) throw new Error(why)
  const queue = Object.entries(SCENARIOS).flatMap(([handler, scenarios]) => {
    mkdirSync(join(FIXTURES, handler), { recursive: true })
    const isWanted = (name: string) =>
      wanted.length === 0 || wanted.some((part) => `${handler}/${name}`.includes(part))
    return scenarios.filter(({ name }) => isWanted(name)).map((scenario) => ({ handler, scenario }))
  })
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { handler, scenario } = next
      const { name } = scenario
      const told = await record(handler, scenario).then(
        (text) => save(handler, name, text),
        (error: unknown) => {
          process.exitCode = 1
          return `NOT RECORDED: ${String(error)}`
        },
      )
      if (told !== 'as before') process.stdout.write(`${handler}/${name}: ${told}\n`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  await saveEdited()
  for (const [handler, scenarios] of Object.entries(SCENARIOS)) {
    const made = handler === EDITED ? edited.map(({ name }) => `${name}.edited.txt`) : []
    const known = new Set([...scenarios.map(({ name }) => `${name}.txt`), ...made])
    const files = readdirSync(join(FIXTURES, handler)).filter((file) => file.endsWith('.txt'))
    for (const file of files.filter((each) => !known.has(each)))
      process.stdout.write(`${handler}/${file}: no scenario of that name; it is left alone\n`)
  }
}

await main(process.argv.slice(2))
