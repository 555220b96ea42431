/**
 * What clients and the event daemon say to each other, as values. The bytes are in encode, decode and frames.
 * Source: event/event_protocol.h and event/event_protocol.c of CTDB 4.17.
 */

/** The component whose scripts ctdbd runs (server/eventscript.c). */
export const LEGACY = 'legacy'

/** A request of a client. `timeout` is in seconds; bit 0 of `flags` is "go on after a failure". */
export type Request =
  | {
      kind: 'run'
      reqid: number
      component: string
      event: string
      /** The event's words, joined by spaces; none when undefined or empty. */
      args: string | undefined
      timeout: number
      flags: number
    }
  | { kind: 'status'; reqid: number; component: string; event: string }
  /** `action`: 0 disables the script, 1 enables it. */
  | { kind: 'script'; reqid: number; component: string; script: string; action: number }

/** A moment, since the epoch. */
export interface Time {
  seconds: number
  microseconds: number
}

/** The end of a script: `result` is 0, its exit status, or a negated errno. */
export interface ScriptStatus {
  name: string
  begin: Time
  end: Time
  result: number
  output: string | undefined
}

/** The end of an event: 0, or the `result` of the script that failed. */
export interface EventStatus {
  summary: number
  scripts: ScriptStatus[]
}

/** An answer. `result` is 0 or an errno, positive; only an answer to "status" with result 0 has a `status`. */
export type Reply = { kind: Request['kind']; reqid: number; result: number; status?: EventStatus }

/** Bytes that are no message. The sender is to be disconnected: its next packet cannot be found. */
export class BadPacket extends Error {
  override name = 'BadPacket'
  constructor(seen: string, expected: string) {
    super(`${seen}: expected ${expected}`)
  }
}

/** The numbers of errno in the protocol: those of Linux, on every machine. */
export const ERRNO = {
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENOEXEC: 8,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOMSG: 42,
  EPROTO: 71,
  EADDRINUSE: 98,
  ETIMEDOUT: 110,
  ECANCELED: 125,
} as const
