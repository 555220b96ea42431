import type { Entry } from '../../engine/find-handlers.ts'
import { FileError } from '../../machine/errors.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { findScripts, NoComponent } from './scripts.ts'

/** Milliseconds for a folder whose file system does not answer: neither the last act nor a look has much time. */
const FOLDER_MS = 700

/**
 * Our own handlers that are enabled in the folder of scripts; `own` is the folder of our handlers. In a folder that does not
 * answer nothing is enabled.
 */
export async function enabledModules(folder: string, own: string): Promise<Entry[]> {
  try {
    await mustAnswer(folder, FOLDER_MS)
    return findScripts(folder, own).filter(({ kind }) => kind === 'module')
  } catch (error) {
    if (error instanceof NoComponent || error instanceof FileError) return []
    throw error
  }
}
