/**
 * There are three programs named arping; two of them understand the same options. The output of `arping -V` tells them
 * apart: two programs take that for a mistake, and show their usage with their name.
 */
import { Refusal } from '../base/refusal.ts'
import { packageOf } from '../machine/remedy/remedy.ts'

export const ARPINGS = { iputils: /iputils/i, busybox: /^BusyBox /m, habets: /Thomas Habets/ } as const
export type Arping = keyof typeof ARPINGS

/** Undefined for a program that we do not know: its options may mean anything. */
export function whichArping(version: string): Arping | undefined {
  return (Object.keys(ARPINGS) as Arping[]).find((kind) => ARPINGS[kind].test(version))
}

/** Throws a Refusal that quotes the output of any other program. */
export function knownArping(version: string): Arping {
  const kind = whichArping(version)
  if (kind) return kind
  const [seen = ''] = version.trim().split('\n')
  throw new Refusal(
    `arping: "arping -V" printed "${seen.slice(0, 60)}": expected iputils', BusyBox's or Thomas Habets': ${packageOf('arping')}`,
  )
}

/** Some networks take only the request form, some only the reply form: both are sent, by every arping. */
export function arpingRound(version: string, address: string, iface: string): string[][] {
  if (knownArping(version) !== 'habets') {
    // iputils' waits for answers until -w is over even after the last packet
    const common = ['-q', '-c', '1', '-w', '1', '-I', iface, address]
    return [
      ['arping', '-U', ...common],
      ['arping', '-A', ...common],
    ]
  }
  const common = ['-q', '-c', '1', '-w', '1', '-i', iface, '-S', address, address]
  return [
    ['arping', '-U', ...common],
    ['arping', '-U', '-P', ...common],
  ]
}

/** Ask who has this address, `probes` times, a second apart. The sender has no address of its own (RFC 5227, section 2.1.1). */
export function arpingQuestion(version: string, address: string, iface: string, probes: number): string[] {
  const common = ['-c', String(probes), '-w', String(probes)]
  return knownArping(version) === 'habets'
    ? ['arping', '-0', ...common, '-C', '1', '-i', iface, address]
    : ['arping', '-D', ...common, '-I', iface, address]
}
