/** The file of a recording, which is written step by step: the recording of a killed event reaches up to that moment. */
import { closeSync, writeSync } from 'node:fs'
import { Usage } from '../../base/refusal.ts'
import { codeOf } from '../errors.ts'
import { codeIn } from '../files/far-file.ts'
import { isFar } from '../files/may-hang.ts'
import { newFile } from '../files/new-file.ts'
import { PRIVATE } from '../files/readers.ts'
import { Coprocess } from '../live/coprocess.ts'
import { inTime } from '../wait.ts'

export interface RecordingFile {
  write: (text: string) => void
  /** Resolves when the file is whole, or cannot be any more. */
  close: () => Promise<void>
}

export interface RecordingOptions {
  file: string
  /** The file may take the place of an ordinary one. */
  overwrite?: boolean
  /** Hears, once, why the recording ends here: the event matters more than its recording. */
  cut: (why: string) => void
}

/**
 * A new file for its owner alone, as a recording tells much of the site; never through a link that another user has put
 * there. Rejects with a Usage where it cannot be made.
 */
export function recordingFile(options: RecordingOptions): Promise<RecordingFile> {
  return isFar(options.file) ? farRecording(options) : Promise.resolve(nearRecording(options))
}

function nearRecording({ file, overwrite, cut }: RecordingOptions): RecordingFile {
  const fd = opened(file, overwrite)
  let isCut = false
  return {
    write(text) {
      if (isCut) return
      try {
        writeSync(fd, text)
      } catch (error) {
        isCut = true
        cut(codeOf(error))
      }
    },
    close: () => Promise.resolve(closeSync(fd)),
  }
}

function opened(file: string, overwrite = false): number {
  try {
    return newFile(file, PRIVATE, overwrite)
  } catch (error) {
    throw cannotMake(file, codeOf(error), overwrite)
  }
}

function cannotMake(file: string, code: string, overwrite: boolean): Usage {
  const remedy =
    code === 'EEXIST' && !overwrite ? 'name another file, or add --overwrite' : 'name another file'
  return new Usage(`--record ${file}: cannot write it: ${code}: ${remedy}`)
}

/** The shell's noclobber opens a new file with O_EXCL, so no link is followed. */
const WRITER =
  'umask 077; set -C; if [ -n "$2" ] && [ -f "$1" ] && [ ! -L "$1" ]; then rm -- "$1" || exit; fi; ' +
  'if [ -e "$1" ] || [ -L "$1" ]; then echo File exists >&2; exit 1; fi; exec >"$1"; echo opened >&2; exec cat'

const OPENED = 'opened\n'
const NO_ANSWER = 'no answer'

/** Milliseconds for the file system to make the file, and for its last lines. */
const ANSWER_MS = 2000

/** A file system that may hang is written to by a child: this thread ends at its time, and at SIGTERM. */
async function farRecording({ file, overwrite = false, cut }: RecordingOptions): Promise<RecordingFile> {
  let said = ''
  let tell = (_isOpen: boolean) => {}
  let ended = () => {}
  const opening = new Promise<boolean>((resolve) => (tell = resolve))
  const end = new Promise<void>((resolve) => (ended = resolve))
  const writer = new Coprocess(['sh', '-c', WRITER, 'sh', file, overwrite ? 'yes' : ''], {
    out: () => {},
    err(text) {
      said += text
      if (said.startsWith(OPENED)) tell(true)
    },
    ended() {
      tell(false)
      ended()
    },
  })
  const isOpen = await inTime(ANSWER_MS, opening)
  if (isOpen !== true) {
    writer.kill()
    throw cannotMake(file, isOpen === 'late' ? NO_ANSWER : codeIn(said), overwrite)
  }
  return {
    write: (text) => writer.send(text),
    async close() {
      writer.endInput()
      if ((await inTime(ANSWER_MS, end)) === 'late') {
        cut(NO_ANSWER)
        writer.kill()
      } else if (said !== OPENED) cut(codeIn(said))
    },
  }
}
