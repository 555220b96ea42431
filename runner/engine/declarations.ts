/** The declarations of built handlers, for programs that must know them without loading a module. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { refuse } from '../base/refusal.ts'
import type { Declaration } from '../node/node.ts'

/** By the names of the handlers; the build writes this file beside them. */
export type Declarations = Readonly<Record<string, Declaration>>

const FILE = 'handlers.json'

/** Refuses when the folder holds none. */
export function declarationsIn(folder: string): Declarations {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Declarations
  } catch (error) {
    return refuse(
      `${join(folder, FILE)}: cannot be read: ${error instanceof Error ? error.message : String(error)}: expected the built handlers: run "npm run build" first`,
    )
  }
}
