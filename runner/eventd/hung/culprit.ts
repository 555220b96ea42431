/** The process of a hung script for which all the others wait. Decides only; looks at nothing. */
import type { ScriptProcess } from './snapshot.ts'
import type { Wait } from './waits.ts'

/** The words of a state that says everything by itself; a sleeping process waits for something else. */
export const STATES: Readonly<Record<string, string>> = {
  T: 'is stopped: "kill -CONT" would let it go on',
  t: 'is stopped by a debugger',
  Z: 'has ended; its parent has not asked for its exit status',
  X: 'has ended',
  R: 'is running and uses the processor',
}

/** The process that waits for no other of the script. Of several: first one that is surely stuck, then the youngest. */
export function culpritOf(tree: readonly ScriptProcess[], waits: ReadonlyMap<number, Wait>): ScriptProcess {
  const stuck = ({ pid, state }: ScriptProcess) =>
    (waits.get(pid)?.isForLock ? 4 : 0) + ('DTt'.includes(state) ? 8 : 0) - ('ZX'.includes(state) ? 8 : 0)
  const last = tree.filter(({ pid, state }) => STATES[state] !== undefined || waits.get(pid)?.on.length === 0)
  const candidates = last.length > 0 ? last : tree
  return candidates.toSorted((a, b) => stuck(b) - stuck(a) || a.age - b.age || b.pid - a.pid)[0]!
}
