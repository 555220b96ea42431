/** The open files that ctdbd leaves to us. */
import {
  closeSync,
  constants as flags,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs'

const CLOEXEC = 0o2000000

/**
 * The same pipe under a descriptor that our children do not inherit: a child that holds the pipe open would keep ctdbd
 * from noticing our end. node cannot set close-on-exec, but opens every file with that flag.
 */
export function reopenPrivately(fd: number): number {
  try {
    // not to wait for a reader: ctdbd may have died meanwhile
    const own = openSync(`/proc/self/fd/${fd}`, flags.O_WRONLY | flags.O_NONBLOCK)
    closeSync(fd)
    return own
  } catch {
    return fd // a socket cannot be opened so; ctdbd uses a pipe
  }
}

/** Close the descriptors that ctdbd left open by accident: every script would have them. Those of node close on exec. */
export function closeInherited(keep: number | undefined): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    if (fd < 3 || fd === keep) continue
    try {
      const open = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
      if ((parseInt(open, 8) & CLOEXEC) === 0 && readlinkSync(`/proc/self/fd/${fd}`)) closeSync(fd)
    } catch {
      // the descriptor of the folder that is being read
    }
  }
}

/** Four zero bytes tell ctdbd that the daemon is up. ctdbd exits when the pipe is closed or written to again (server/eventscript.c). */
export function reportUp(fd: number): void {
  writeSync(fd, Buffer.alloc(4))
}
