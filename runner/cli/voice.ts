/** Where a command's words go that systemd may run as well: to a terminal, or into the journal with a priority each. */
import { journalStream, leadsToJournal, withPriority, type Priority } from '../machine/journal.ts'

export interface Voice {
  /** Standard output, or the journal with that priority. */
  say: (text: string, priority: Priority) => void
  /** Standard error, or the journal as an error. */
  complain: (line: string) => void
  /** Resolves when all is handed over. */
  close: () => Promise<void>
}

/** A journal that reads nothing must not keep us for longer, in milliseconds. */
const LAST_LINE_MS = 1000

export async function openVoice(print: (line: string) => void): Promise<Voice> {
  const isJournal = leadsToJournal(1) && leadsToJournal(2)
  const journal = isJournal ? await journalStream('eventscript') : undefined
  if (!journal)
    return {
      say: print,
      complain: (line) => void process.stderr.write(`eventscript: ${line}\n`),
      close: () => Promise.resolve(),
    }
  return {
    say: (text, priority) => void journal.write(withPriority(priority, text)),
    complain: (line) => void journal.write(withPriority('error', line)),
    close: () =>
      new Promise((resolve) => {
        setTimeout(resolve, LAST_LINE_MS).unref()
        journal.once('close', resolve)
        journal.end(resolve)
      }),
  }
}
