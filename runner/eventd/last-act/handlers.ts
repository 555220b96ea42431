/** The handlers of the last act. */
import { declarationsIn } from '../../engine/declarations.ts'
import { findHandlers, type Entry } from '../../engine/find-handlers.ts'
import { findScripts, NoComponent } from '../run/scripts.ts'

/**
 * First our own handlers that always act, also where CTDB's script is enabled: that script holds no more addresses.
 * Then our other handlers that are enabled. Executables are left out: they ask for ctdbd, and would hang. `folder` is
 * that of the scripts, `own` that of our handlers.
 */
export function handlersFor(folder: string, own: string): Entry[] {
  const declared = declarationsIn(own)
  const isFirst = ({ name }: Entry) => declared[name]?.when === 'always'
  const others = enabledModules(folder, own).filter((entry) => !isFirst(entry))
  return [...findHandlers(own).filter(isFirst), ...others]
}

function enabledModules(folder: string, own: string): Entry[] {
  try {
    return findScripts(folder, own).filter(({ kind }) => kind === 'module')
  } catch (error) {
    if (error instanceof NoComponent) return []
    throw error
  }
}
