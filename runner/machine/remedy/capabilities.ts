import { readFileSync } from 'node:fs'

/** Bits of capability.h: those that our work needs. */
const BITS = { CAP_DAC_OVERRIDE: 1n, CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n } as const

export type Capability = keyof typeof BITS
export const CAPABILITIES = Object.keys(BITS) as Capability[]

/**
 * The capabilities that this process is without; asking costs no program. CAP_NET_RAW is needed by the programs that we
 * start, not by us: root's have it, and others by their file, unless the bounding set is without it.
 */
export function lackingHere(status = statusHere()): readonly Capability[] {
  const effective = setIn(status, 'CapEff')
  const sets = {
    CAP_DAC_OVERRIDE: effective,
    CAP_NET_ADMIN: effective,
    CAP_NET_RAW: effective | setIn(status, 'CapBnd'),
  }
  return CAPABILITIES.filter((name) => ((sets[name] >> BITS[name]) & 1n) === 0n)
}

/** Empty without a /proc: then nothing is known to be there. */
function statusHere(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return ''
  }
}

function setIn(status: string, name: string): bigint {
  const digits = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'
  return BigInt(`0x${digits}`)
}
