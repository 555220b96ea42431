/** The two families, which are tested alike, and addresses of them. */

export const FAMILIES = [
  {
    family: 'IPv4',
    ip: '10.0.0.1',
    bits: '24',
    otherBits: '25',
    other: '10.0.0.2',
    observer: '10.0.0.254',
    iptables: 'iptables',
    host: '10.0.0.1/32',
  },
  {
    family: 'IPv6',
    ip: 'fd00::1',
    bits: '64',
    otherBits: '80',
    other: 'fd00::2',
    observer: 'fd00::fe',
    iptables: 'ip6tables',
    host: 'fd00::1/128',
  },
] as const

/** So many addresses of one family, none of which the lab uses itself. */
export function manyAddresses(family: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    family === 'IPv4' ? `10.0.0.${i + 101}` : `fd00::${(i + 0x101).toString(16)}`,
  )
}
