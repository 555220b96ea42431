/** What this machine has: programs, kinds of network devices, namespaces; and why a test cannot run without. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { execa, execaSync } from 'execa'
import { packageOf } from '../../runner/machine/remedy/remedy.ts'

const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
/** An ordinary user's PATH often lacks the folders where `ip` and `iptables` are. */
export const PATH = FOLDERS.filter(Boolean).join(delimiter)

const PACKAGES: Record<string, string> = {
  'iptables-save': 'iptables',
  'ip6tables-save': 'iptables',
  perl: 'perl-base',
  setpriv: 'util-linux',
}

/** The full path of a program of this machine. */
export function programPath(program: string): string | undefined {
  return PATH.split(delimiter)
    .map((folder) => join(folder, program))
    .find(isExecutable)
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Why a test that needs these programs cannot run here. */
export function whyMissing(programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => !programPath(program))
  if (missing.length === 0) return undefined
  const packages = missing.map((name) => packageOf(name) ?? `install ${PACKAGES[name] ?? name}`)
  return `${missing.join(', ')} not found: ${[...new Set(packages)].join(', ')}`
}

/** Why there can be no lab on this machine, or undefined. */
export async function whyNoLab(): Promise<string | undefined> {
  const missing = ['unshare', 'nsenter', 'ip'].find((program) => !programPath(program))
  if (missing) return `${missing} is not installed`
  const { failed, stderr } = await execa('unshare', ['-Urnm', 'true'], { reject: false, env: { PATH } })
  return failed ? `this machine forbids network namespaces: ${stderr.trim()}` : undefined
}

/** Why this kernel cannot have a network device of that kind, in a namespace of our own; undefined when it can. */
export function whyNoKind(kind: 'bond' | 'vlan'): string | undefined {
  const script = {
    bond: 'ip link add probe type bond',
    vlan: 'ip link add eth0 type veth && ip link add link eth0 name probe type vlan id 1',
  }[kind]
  const { failed } = execaSync('unshare', ['-Urn', 'sh', '-c', script], { reject: false, env: { PATH } })
  return failed ? `this kernel has no ${kind}: npm run test:kernel boots one that has` : undefined
}

/** Why this machine cannot have the filter that a command sets, also one of eth0, in a namespace of our own. */
export function whyNoFilter(command: readonly [program: string, ...words: string[]]): string | undefined {
  const missing = whyMissing([command[0]])
  if (missing) return missing
  const words = ['-Urn', 'sh', '-c', 'ip link add eth0 type veth && exec "$@"', 'sh', ...command]
  const { failed, stderr } = execaSync('unshare', words, { reject: false, env: { PATH } })
  if (!failed) return undefined
  return `this kernel, or this ${command[0]}, has no such filter: ${stderr.trim().split('\n')[0]}`
}

/** Why there can be no load balancer in a namespace here. */
export function whyNoBalancer(): string | undefined {
  const missing = whyMissing(['ipvsadm'])
  if (missing) return missing
  const { failed } = execaSync('unshare', ['-n', 'ipvsadm', '-S', '-n'], { reject: false, env: { PATH } })
  return failed ? 'no IPVS in this kernel, or not root: npm run test:kernel boots one' : undefined
}
