/** Why is this node as it is? Pure: from what the nodes have told. */
import type { HandlerEnd } from '../check/handlers.ts'
import { flagWords, meaningsOf } from '../node-flags.ts'
import type { WhyAnswer } from './answer.ts'
import type { SeenFault } from './evidence.ts'
import type { NodeView } from './views.ts'

export function whyNode(view: NodeView): WhyAnswer {
  const { node, address, silent, told } = view
  const meanings = view.flags === undefined ? [] : meaningsOf({ flags: view.flags })
  const state = view.flags === undefined ? 'in a state that no ctdbd tells' : flagWords({ flags: view.flags })
  const causes = causesOf(view)
  const [cause] = causes
  const unknown =
    silent === undefined
      ? undefined
      : `not known from here: run "eventscript why" on node ${node} (${silent})`
  const isWell =
    meanings.length === 0 && causes.length === 0 && unknown === undefined && view.flags !== undefined
  const hosted = told?.addresses.filter(({ believed }) => believed === node).length
  const tail =
    cause?.text ??
    unknown ??
    meanings[0]?.text ??
    (hosted === undefined ? undefined : `it hosts ${hosted} public addresses`)
  return {
    answer: `node ${node} is ${state}${tail === undefined ? '' : `: ${tail}`}`,
    isWell,
    evidence: [
      ['node', `${node}, ${address}${view.here ? ', this one' : ''}`],
      ...meanings.map(({ name, text }): [string, string] => ['flag', `${name}: ${text}`]),
      ...(told?.failingSince === undefined
        ? []
        : [['since', `monitor has failed since ${told.failingSince}`] as [string, string]]),
      ...causes.flatMap(({ text, more }): [string, string][] => [
        ['cause', text],
        ...more.map((line): [string, string] => ['', line]),
      ]),
      ...(told?.trouble ?? [])
        .filter((line) => !causes.some(({ text }) => text.includes(line)))
        .map((line): [string, string] => ['not seen', line]),
      ...(silent === undefined ? [] : [['silent', silent] as [string, string]]),
    ],
    remedies: [
      ...causes.flatMap(({ remedy: how }) => how ?? []),
      ...meanings.map(({ name, remedy: how }) => `${name}: ${how}`),
    ],
  }
}

/** Told by the flags themselves, and by `why ADDRESS`. */
const TOLD_ELSEWHERE: readonly SeenFault['kind'][] = ['node-flag', 'unassigned']

interface Cause {
  text: string
  more: readonly string[]
  remedy?: string
}

/** The reasons that the node itself has told, the worst first. */
export function causesOf({ node, told }: NodeView): Cause[] {
  if (!told) return []
  const hung = typeof told.hung === 'string' ? [] : told.hung
  const ends = typeof told.scripts === 'string' ? [] : told.scripts
  const errors = told.faults.filter(({ state, kind }) => state === 'error' && !TOLD_ELSEWHERE.includes(kind))
  return [
    ...hung.map((script) => ({
      text: `${script} hangs`,
      more: [],
      remedy: `on node ${node}: "eventscript top" says what it waits for`,
    })),
    ...ends
      .filter(({ outcome }) => outcome !== 'ok' && outcome !== 'disabled')
      .map((end) => ofScript(node, end)),
    ...(told.unread === undefined || ends.some(({ output }) => output?.includes(told.unread ?? ''))
      ? []
      : [{ text: told.unread, more: [], remedy: `see to that file on node ${node}, then "ctdb reloadips"` }]),
    ...errors.map(({ subject, seen, expected, repair }) => ({
      text: `${subject}: ${seen}: expected ${expected}`,
      more: [],
      ...(repair === undefined ? {} : { remedy: `on node ${node}: ${repair}` }),
    })),
  ]
}

const ENDED: Record<HandlerEnd['outcome'], string> = {
  ok: 'is well',
  disabled: 'is disabled',
  failed: 'failed',
  timedout: 'timed out',
  'cannot-run': 'cannot be run',
}

function ofScript(node: number, { name, outcome, began, output = [] }: HandlerEnd): Cause {
  const first = output[0]
  return {
    text: `${name} ${ENDED[outcome]}${first === undefined ? '' : `: ${first}`}`,
    more: [...(began === undefined ? [] : [`at ${began}`]), ...output.slice(1)],
    remedy: `on node ${node}: "eventscript explain monitor" says what that script looks at`,
  }
}
