/** The nodes of a cluster as `why` knows them: what each has told of itself, and what the others say of it. Pure. */
import type { NodeAnswer } from '../cluster/ask-nodes.ts'
import type { Flag } from '../../net/ctdb/daemon-view.ts'
import type { Evidence } from './evidence.ts'

export interface NodeView {
  node: number
  /** Its private address. */
  address: string
  /** The machine on which the question was put. */
  here: boolean
  /** What it has told; or why it is silent. */
  told?: Evidence
  silent?: string
  /** Its flags as the first ctdbd says that was asked, itself first; undefined where no ctdbd says. */
  flags?: readonly Flag[]
}

/** The answers of all nodes to `why --here`, put together. */
export function viewsOf(answers: readonly NodeAnswer[]): NodeView[] {
  const told = answers.map(({ answer }) => (isEvidence(answer) ? answer : undefined))
  return answers.map(({ node, address, here, silent }, i) => {
    const own = told[i]
    const flags = [own, ...told].flatMap((evidence) =>
      evidence && typeof evidence.nodes !== 'string'
        ? evidence.nodes.filter((each) => each.node === node).map((each) => each.flags)
        : [],
    )[0]
    return {
      node,
      address,
      here,
      ...(own
        ? { told: own }
        : { silent: silent ?? 'its answer is of another form: is eventscript there older?' }),
      ...(flags ? { flags } : {}),
    }
  })
}

function isEvidence(answer: unknown): answer is Evidence {
  const { addresses, faults, macs } = (answer ?? {}) as Partial<Evidence>
  return Array.isArray(addresses) && Array.isArray(faults) && Array.isArray(macs)
}
