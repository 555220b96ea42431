/** The places that the doctor looks at in its own thread, where a file system that hangs would keep it for good. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FileError } from '../../machine/errors.ts'
import { mustAnswer } from '../../machine/files/must-answer.ts'
import { about, type Finding, type Patient } from '../finding.ts'

type Places = Pick<Patient, 'folder' | 'own' | 'vardir'>

/** An error for each place that does not answer within so many milliseconds: our folders, CTDB's, and what is linked there. */
export async function unanswered({ folder, own, vardir }: Places, within: number): Promise<Finding[]> {
  const folders = await findings([folder, own, vardir], within)
  if (folders.length > 0) return folders
  return await findings(
    namesIn(folder).map((name) => join(folder, name)),
    within,
  )
}

async function findings(paths: readonly string[], within: number): Promise<Finding[]> {
  const all = await Promise.all(paths.map((path) => findingOf(path, within)))
  return all.flat()
}

async function findingOf(path: string, within: number): Promise<Finding[]> {
  try {
    await mustAnswer(path, within)
    return []
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    if (error.code !== 'ETIMEDOUT') return [] // the examination of the folder says so
    return about('file system').error(path, `${error.message}: scripts, options and state are not looked at`)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // as above
  }
}
