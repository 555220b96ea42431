/** The handlers of the last act. */
import { findHandlers, type Entry } from '../../engine/find-handlers.ts'
import { findScripts, NoComponent } from '../run/scripts.ts'

/**
 * First our own handler of public addresses, also where CTDB's script is enabled: that script holds no other addresses.
 * Then our other handlers that are enabled. Executables are left out: they ask for ctdbd, and would hang. `folder` is
 * that of the scripts, `own` that of our handlers.
 */
export function handlersFor(folder: string, own: string): Entry[] {
  const first = findHandlers(own).filter(({ name }) => name === '10.interface')
  return [...first, ...enabledModules(folder, own).filter(({ name }) => name !== '10.interface')]
}

function enabledModules(folder: string, own: string): Entry[] {
  try {
    return findScripts(folder, own).filter(({ kind }) => kind === 'module')
  } catch (error) {
    if (error instanceof NoComponent) return []
    throw error
  }
}
