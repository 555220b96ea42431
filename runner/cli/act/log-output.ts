/** The report of a command that an admin or systemd runs: to the terminal, or to the journal with priorities. */
import { visible } from '../../base/visible.ts'
import { printed } from '../../format/colours.ts'
import { journalStream, leadsToJournal, withPriority, type Priority } from '../../machine/journal.ts'
import { complain } from '../output.ts'

export interface LogOutput {
  /** To standard output, or to the journal with that priority. */
  write: (text: string, priority: Priority) => void
  /** To standard error, or to the journal as an error. */
  error: (line: string) => void
  /** Resolves when the journal has everything. */
  close: () => Promise<void>
}

/** Milliseconds that a journal which reads nothing may delay our end. */
const CLOSE_MS = 1000

export async function openLogOutput(print: (line: string) => void): Promise<LogOutput> {
  const isJournal = leadsToJournal(1) && leadsToJournal(2)
  const journal = isJournal ? await journalStream('eventscript') : undefined
  if (!journal) return { write: print, error: complain, close: () => Promise.resolve() }
  return {
    write: (text, priority) => void journal.write(withPriority(priority, printed(text))),
    error: (line) => void journal.write(withPriority('error', visible(line))),
    close: () =>
      new Promise((resolve) => {
        setTimeout(resolve, CLOSE_MS).unref()
        journal.once('close', resolve)
        journal.end(resolve)
      }),
  }
}
