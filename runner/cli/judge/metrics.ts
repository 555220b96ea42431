import { dirname } from 'node:path'
import { lookAtCluster } from '../../inspect/check/check.ts'
import { asMetrics, writeMetrics } from '../../inspect/check/metrics.ts'
import { putBackHere } from '../../inspect/check/put-back.ts'
import { judge } from '../../inspect/check/verdict.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import type { Command } from '../command.ts'
import { factsFor } from '../here.ts'
import { TIMEOUT, timeoutOf } from '../options.ts'
import { complain } from '../output.ts'

export default {
  usage: 'metrics [file]',
  describe: "the figures of check in Prometheus' format, for the textfile folder of node_exporter",
  positionals: { file: { type: 'string', describe: 'a name that ends in .prom; else standard output' } },
  options: { timeout: TIMEOUT },
  async handler(args: { file?: string; timeout: string }, output) {
    if (args.file !== undefined) await mustAnswer(dirname(args.file))
    const facts = factsFor()
    const sight = await lookAtCluster(facts, timeoutOf(args))
    const verdict = judge(sight, { warning: new Map(), critical: new Map() })
    const text = asMetrics(sight, verdict, await putBackHere(facts, timeoutOf(args)))
    if (args.file === undefined) output.print(text.trimEnd())
    else writeMetrics(args.file, text)
    verdict.reasons.forEach(complain)
    return verdict.reasons.length > 0 ? 1 : 0
  },
} satisfies Command
