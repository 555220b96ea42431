import { askActivity, type Activities } from '../../eventd/ask.ts'
import type { Command, CommonArgs } from '../command.ts'
import { printJson } from '../output.ts'

export default {
  usage: 'top',
  describe: 'the running and the waiting events of the event daemon of this node',
  endless: true,
  options: {},
  async handler(args: CommonArgs, output) {
    const activities = await askActivity()
    if (args.json) return printJson(output, activities)
    for (const each of activities) output.print(activityLines(each))
    if (activities.length === 0) output.print('no event yet')
  },
} satisfies Command

/** One component of the event daemon: its running events, then its waiting ones. */
function activityLines({ component, running, waiting }: Activities[number]): string {
  const age = (ms: number) => `${(ms / 1000).toFixed(1).padStart(7)} s`
  const lines = waiting.map(({ event, words, ms }) => `  waiting ${age(ms)}  ${[event, ...words].join(' ')}`)
  if (running.length === 0) return [`${component}: idle`, ...lines].join('\n')
  const current = running.flatMap(({ event, words, ms, handler, program, programMs = 0 }) => [
    `  running ${age(ms)}  ${[event, ...words].join(' ')}${handler === undefined ? '' : `  in ${handler}`}`,
    ...(program === undefined ? [] : [`          ${age(programMs)}  ${program}`]),
  ])
  return [`${component}:`, ...current, ...lines].join('\n')
}
