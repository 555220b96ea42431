/**
 * The addresses that are moved. Each contestant has networks of its own, so that late announcements of a contestant
 * never count for another. All addresses are written as the kernel prints them.
 */
export type Family = 'IPv4' | 'IPv6'

export const BITS: Record<Family, number> = { IPv4: 16, IPv6: 64 }

/** All networks of all contestants, and nothing of the lab itself. */
export const ALL: Record<Family, string> = { IPv4: '10.64.0.0/10', IPv6: 'fd10::/12' }

/** The addresses of that contestant, at most 50,000. */
export function addresses(family: Family, contestant: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    family === 'IPv4'
      ? `10.${64 + contestant}.${Math.floor(i / 250)}.${(i % 250) + 1}`
      : `fd${(16 + contestant).toString(16)}::1:${(i + 1).toString(16)}`,
  )
}

/** The lines of an `ip -batch`. */
export function batch(verb: 'add' | 'del', family: Family, each: readonly string[], flags = ''): string {
  return each.map((address) => `addr ${verb} ${address}/${BITS[family]} dev eth0${flags}\n`).join('')
}
