/** The steps of a plan: each is a command, or a file that is replaced as a whole. */
import { refuse } from '../base/refusal.ts'
import { toPrinting, toShell } from '../machine/argv.ts'
import type { Door } from '../machine/machine.ts'

export type Act = readonly string[] | { file: string; text: string }

/** The step as a shell command that an admin can paste. */
export function inShell(act: Act): string {
  return 'file' in act ? `${toPrinting(act.text)} >${toShell([act.file])}` : toShell(act)
}

export async function perform(door: Door, act: Act): Promise<void> {
  if ('file' in act) return await door.write(act.file, act.text, { readers: 'all' })
  const { status, err } = await door.change`${act}`
  if (status !== 0)
    refuse(
      `"${toShell(act)}" failed: ${err.trim() || `exit status ${status}`}: repair that and repeat the command, or undo it with "eventscript uninstall"`,
    )
}
