import { Usage } from '../../base/refusal.ts'
import { canonical } from '../../inet/address.ts'
import { askAllNodes } from '../../inspect/cluster/ask-nodes.ts'
import { nodeHere } from '../../inspect/node-here.ts'
import { whyAddress } from '../../inspect/why/address.ts'
import type { WhyAnswer } from '../../inspect/why/answer.ts'
import { evidenceHere } from '../../inspect/why/evidence.ts'
import { whyNode } from '../../inspect/why/node.ts'
import { viewsOf, type NodeView } from '../../inspect/why/views.ts'
import type { Command } from '../command.ts'
import { factsFor, OWN_EVENTS, SELF } from '../here.ts'
import { TIMEOUT, timeoutOf } from '../options.ts'
import { printJson, printText, type Output } from '../output.ts'

type Args = { subject?: string; timeout: string; json?: boolean; here?: boolean }

export default {
  usage: 'why [subject]',
  describe: 'why an address is where it is, or a node as it is; first the answer, then the evidence',
  positionals: {
    subject: {
      type: 'string',
      describe: 'a public address, or the number or private address of a node; default: this node',
    },
  },
  options: {
    timeout: { ...TIMEOUT, default: '30' },
    here: { type: 'boolean', describe: 'only what this node sees, as other nodes ask for it; prints JSON' },
  },
  async handler(args: Args, output) {
    const [facts, seconds] = [factsFor(), timeoutOf(args)]
    const node = await nodeHere(facts, seconds)
    const address = args.subject === undefined ? undefined : canonical(args.subject)
    if (args.here) {
      const about = { seconds, ...(address === undefined ? {} : { address }) }
      printJson(output, await evidenceHere(node, facts, OWN_EVENTS, about))
      return 0
    }
    const question = ['why', '--here', ...(address === undefined ? [] : [address])]
    const views = viewsOf(await askAllNodes(node, facts, SELF, question, seconds))
    const answer = answerFor(args.subject, address, views)
    if (args.json) printJson(output, answer)
    else printAnswer(output, answer)
    return answer.isWell ? 0 : 1
  },
} satisfies Command

/** A word that is a public address is one; else it is a node. */
function answerFor(
  subject: string | undefined,
  address: string | undefined,
  views: readonly NodeView[],
): WhyAnswer {
  const node = views.find((view) =>
    subject === undefined ? view.here : String(view.node) === subject || view.address === address,
  )
  const isPublic = views.some(({ told }) => told?.addresses.some((each) => each.address === address))
  if (address !== undefined && (isPublic || !node)) return whyAddress(address, views)
  if (node) return whyNode(node)
  throw new Usage(
    subject === undefined
      ? 'this node is not in the list of nodes: name a node or an address'
      : `${subject}: expected a public address, or one of the nodes ${views.map((view) => view.node).join(', ')}`,
  )
}

function printAnswer(output: Output, { answer, isWell, evidence, remedies }: WhyAnswer): void {
  const { good, bad, dim, bold } = output.paints
  printText(output, (isWell ? good : bad)(answer))
  for (const [what, seen] of evidence) printText(output, `  ${dim(what.padEnd(11))} ${seen}`)
  for (const remedy of remedies) output.print(`  ${'->'.padEnd(11)} ${bold(remedy)}`)
}
