/** The packets of a round, and who sends them. */
import { isNamed, type Link } from '../ip-json.ts'
import type { Taken } from './after-event.ts'
import { announcementFrames } from './frames.ts'

/** One frame, in hexadecimal, and the interface by which it goes out; it announces the address. */
export interface Packet {
  address: string
  iface: string
  frame: string
}

/** A program that sends one packet, which announces the address. */
export interface SendingProgram {
  address: string
  iface: string
  argv: readonly string[]
}

/** Puts Ethernet frames on the wire. */
export interface FrameSender {
  /** Resolves when they are sent: to false, and none is, where that cannot be done. */
  send: (packets: readonly Packet[]) => Promise<boolean>
  close: () => void
}

/** Sends packets by small programs, many at once. */
export interface ProgramSender {
  /** Resolves when all of them have been started. */
  send: (programs: readonly SendingProgram[]) => Promise<void>
  close: () => void
}

/** All of the first form, then all of the next. */
export function inForms<Form>(rounds: readonly (readonly Form[])[]): Form[] {
  const forms = Math.max(0, ...rounds.map((round) => round.length))
  return Array.from({ length: forms }, (_, form) =>
    rounds.flatMap((round) => round.slice(form, form + 1)),
  ).flat()
}

/** Undefined where the interface is no Ethernet, or is not there any more. */
export function packetsFor({ address, iface }: Taken, links: readonly Link[]): Packet[] | undefined {
  const link = links.find((each) => isNamed(each, iface))
  if (link?.type !== 'ether' || !link.mac) return undefined
  return announcementFrames(address, link.mac).map((frame) => ({ address, iface: link.name, frame }))
}
