/** The declarations of built handlers, for programs that must know them without loading a module. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { refuse } from '../base/refusal.ts'
import type { Declaration } from '../node/node.ts'

/** Declarations by the names of the handlers. */
export type Declarations = Readonly<Record<string, Declaration>>

/** The build writes this file beside the handlers. */
const FILE = 'handlers.json'

/** The declarations in a folder of built handlers. Refuses a folder without them. */
export function declarationsIn(folder: string): Declarations {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Declarations
  } catch (error) {
    return refuse(
      `${join(folder, FILE)}: cannot be read: ${error instanceof Error ? error.message : String(error)}: expected the built handlers: run "npm run build" first`,
    )
  }
}
