/** The handlers of the last act. */
import { declarationsIn } from '../../engine/declarations.ts'
import { findHandlers, type Entry } from '../../engine/find-handlers.ts'
import { enabledModules } from '../run/enabled.ts'

/**
 * First our own handlers that always act, also where CTDB's script is enabled: that script holds no more addresses.
 * Then our other handlers that are enabled. Executables are left out: they ask for ctdbd, and would hang. `folder` is
 * that of the scripts, `own` that of our handlers. In a folder that does not answer nothing is enabled.
 */
export async function handlersFor(folder: string, own: string): Promise<Entry[]> {
  const declared = declarationsIn(own)
  const isFirst = ({ name }: Entry) => declared[name]?.when === 'always'
  const others = (await enabledModules(folder, own)).filter((entry) => !isFirst(entry))
  return [...findHandlers(own).filter(isFirst), ...others]
}
