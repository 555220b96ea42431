/** `npm run demo`: see it work, in a few seconds, without root. Exit status 0 when everything went as it should. */
import chalk from 'chalk'
import { replayInstead } from './demo-replay.ts'
import { whyNoLab } from '../lab/needs.ts'
import { wrapped, type Scene } from './scene.ts'
import { INTRODUCTION, story } from './story.ts'

const NEXT = `What to type next
   node dist/runner/main.js list          the handlers, and what each knows
   node dist/runner/main.js run monitor   one event by hand, on this machine
   npm test                               all of this and much more, checked
   npm run bench                          against CTDB's own script and IPaddr2

   On a CTDB node, as root, in place of CTDB's own script:
   npm install -g "./$(npm pack --silent)" && eventscript install`

function print(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

async function show(playing: Promise<Scene>): Promise<Scene> {
  const scene = await playing
  print('', scene.title, ...scene.lines)
  return scene
}

async function main(): Promise<string[]> {
  const reason = await whyNoLab()
  if (reason) return await replayInstead(reason, print)
  print(
    chalk.bold('eventscript: a few public addresses, from takeip to releaseip'),
    ...wrapped(INTRODUCTION, 3),
  )
  return await story(show)
}

const began = performance.now()
const failures = await main()
const seconds = ((performance.now() - began) / 1000).toFixed(1)
if (failures.length === 0) print('', chalk.green(`All as it should be, in ${seconds} s.`))
else
  print(
    '',
    chalk.red(`${failures.length} not as it should be:`),
    ...failures.map((each) => `   ${each.split('\n')[0]}`),
  )
print('', NEXT)
process.exitCode = failures.length === 0 ? 0 : 1
