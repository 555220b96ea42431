/**
 * There are three programs named arping, of which two understand the same options. Which one it is, is what it prints for
 * `arping -V`: two take that for a mistake, and show their usage with their name.
 */
import { Refusal } from '../base/refusal.ts'
import { packageOf } from '../machine/remedy.ts'

export const ARPINGS = { iputils: /iputils/i, busybox: /^BusyBox /m, habets: /Thomas Habets/ } as const
export type Arping = keyof typeof ARPINGS

/** Undefined when it is none that we know: its options may mean anything. */
export function whichArping(version: string): Arping | undefined {
  return (Object.keys(ARPINGS) as Arping[]).find((kind) => ARPINGS[kind].test(version))
}

/** Throws a Refusal that quotes what came instead. */
export function knownArping(version: string): Arping {
  const kind = whichArping(version)
  if (kind) return kind
  const [seen = ''] = version.trim().split('\n')
  throw new Refusal(
    `arping: "arping -V" printed "${seen.slice(0, 60)}": expected iputils', BusyBox's or Thomas Habets': ${packageOf('arping')}`,
  )
}

/** Some networks take only the request form, some only the reply form: both, whichever arping it is. */
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

/** Who has this address? So often, a second apart; as one who has no address of his own. */
export function arpingQuestion(version: string, address: string, iface: string, probes: number): string[] {
  const common = ['-c', String(probes), '-w', String(probes)]
  return knownArping(version) === 'habets'
    ? ['arping', '-0', ...common, '-C', '1', '-i', iface, address]
    : ['arping', '-D', ...common, '-I', iface, address]
}
