/** Which package has a program, by distribution. */
import { readFileSync } from 'node:fs'

export const DISTRIBUTIONS = ['debian', 'fedora', 'suse', 'alpine'] as const
export type Distribution = (typeof DISTRIBUTIONS)[number]

/** Debian's, Fedora's and RHEL's, SUSE's, Alpine's. */
const PACKAGES: Record<string, readonly [string, string, string, string]> = {
  ip: ['iproute2', 'iproute', 'iproute2', 'iproute2'],
  ss: ['iproute2', 'iproute', 'iproute2', 'iproute2'],
  iptables: ['iptables', 'iptables-nft', 'iptables', 'iptables'],
  ip6tables: ['iptables', 'iptables-nft', 'iptables', 'iptables'],
  arping: ['iputils-arping', 'iputils', 'iputils', 'iputils-arping'],
  ndptool: ['libndp-tools', 'libndp', 'libndp', 'libndp'],
  ndisc6: ['ndisc6', 'ndisc6', 'ndisc6', 'ndisc6'],
  perl: ['perl-base', 'perl-interpreter', 'perl-base', 'perl'],
  ctdb: ['ctdb', 'ctdb', 'ctdb', 'ctdb'],
  ctdb_killtcp: ['ctdb', 'ctdb', 'ctdb', 'ctdb'],
  flock: ['util-linux', 'util-linux', 'util-linux', 'flock'],
  ps: ['procps', 'procps-ng', 'procps', 'procps-ng'],
  ipvsadm: ['ipvsadm', 'ipvsadm', 'ipvsadm', 'ipvsadm'],
}

/** By the ID of os-release, or what it is like. */
const FAMILIES: Record<string, Distribution> = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  suse: 'suse',
  opensuse: 'suse',
  sles: 'suse',
  alpine: 'alpine',
}

export function packageIn(distribution: Distribution, program: string): string | undefined {
  return PACKAGES[program]?.[DISTRIBUTIONS.indexOf(distribution)]
}

export function distributionHere(): Distribution {
  try {
    return distributionIn(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return distributionIn('') // a small image may have none
  }
}

/** The distribution that an os-release(5) names; of one that we do not know, Debian's names. */
export function distributionIn(osRelease: string): Distribution {
  const valueOf = (name: string) =>
    new RegExp(`^${name}=["']?([^"'\\n]*)`, 'm').exec(osRelease)?.[1]?.split(/\s+/) ?? []
  const known = [...valueOf('ID'), ...valueOf('ID_LIKE')].flatMap(
    (id) => FAMILIES[id.split('-')[0] ?? ''] ?? [],
  )
  return known[0] ?? 'debian'
}
