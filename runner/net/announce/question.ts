/**
 * A question to the wire beside the kernel's check of an optimistic address. Such an address is local at once, so a reverse-path
 * filter of this node keeps the answer of a host that has it from the kernel; a packet socket hears that answer.
 */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { whereIs } from '../address/interfaces.ts'
import type { DadState } from '../dad/state.ts'
import { watch } from '../dad/watch.ts'
import { askWire, type Contested } from '../dad/wire.ts'

export interface WireQuestion {
  isOpen: boolean
  /** The MAC of the other host that has the address. */
  rival?: string
  /** Never rejects. */
  ended: Promise<void>
}

/** Ask. Where nobody can be asked now, the address is watched until that is possible. */
export function askBeside(
  nodeNow: () => Promise<Node>,
  contested: Contested,
  complain: (line: string) => void,
): WireQuestion {
  const question: WireQuestion = { isOpen: true, ended: Promise.resolve() }
  const ask = async () => {
    try {
      const rival = await rivalOf(await nodeNow(), contested)
      if (rival !== undefined) question.rival = rival
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      complain(`whether another host has ${contested.address} cannot be asked: ${reason}`)
    }
    question.isOpen = false
  }
  question.ended = ask()
  return question
}

async function rivalOf(node: Node, contested: Contested): Promise<string | undefined> {
  try {
    const reply = await askWire(node, contested)
    return typeof reply === 'object' ? reply.mac : undefined
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const held = (await whereIs(node, contested.address)).find(({ iface }) => iface === contested.iface)
    if (held) await watch(node, held)
    return undefined
  }
}

/** What the kernel and our question say together: a check is over when both are. Pure. */
export function together(state: DadState, question: WireQuestion | undefined): DadState {
  if (!question || state === 'absent') return state
  if (question.rival !== undefined) return 'duplicate'
  return state === 'ready' && question.isOpen ? 'optimistic' : state
}
