import { readFar } from './far-file.ts'
import { isFar } from './may-hang.ts'

/** Milliseconds for a file system that has to answer before its folder is looked at. */
const ANSWER_MS = 2000

/**
 * For a folder that is about to be looked at in this thread: rejects with a FileError where its file system does not answer,
 * or has gone. What is on a local file system is not looked at.
 */
export async function mustAnswer(folder: string, within = ANSWER_MS): Promise<void> {
  if (isFar(folder)) await readFar(folder.endsWith('/') ? folder : `${folder}/`, { isLinked: true, within })
}
