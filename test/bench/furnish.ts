/** What the node of the bench has beside its two interfaces. */
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import { INTERFACES } from './tasks.ts'

/** Ten interfaces, what CTDB's script needs of its own, and a ctdb tool that is as cheap as can be. */
export async function furnish(lab: Lab): Promise<void> {
  for (const name of INTERFACES.slice(2)) await plug(lab, name)
  const names = INTERFACES.join(',')
  lab.configure('public_addresses', `10.0.0.1/24 ${names}\nfd00::1/64 ${names}\n`)
  linkFunctions(lab)
  standInForCtdb(lab, INTERFACES)
}

/** The node of the bulk part: two interfaces, an address of its own as keepalived wants one for IPv4. */
export async function furnishForBulk(lab: Lab): Promise<void> {
  await lab.node.must('ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0')
  // as systemd sets it on every Debian machine; without it the kernel drops all others of a network with its first
  for (const name of ['all', 'eth0'])
    await lab.node.must('sh', '-c', `echo 1 >/proc/sys/net/ipv4/conf/${name}/promote_secondaries`)
  linkFunctions(lab)
  standInForCtdb(lab, ['eth0', 'eth1'])
}

/** One more interface of the node on the wire; eth0 and eth1 are there. */
async function plug({ node, observer }: Lab, name: string): Promise<void> {
  const port = `port-${name}`
  const peer = ['peer', 'name', port, 'netns', String(observer.pid)]
  await node.must('ip', 'link', 'add', name, 'type', 'veth', ...peer)
  await observer.must('ip', 'link', 'set', port, 'master', 'lan', 'up')
  await node.must('ip', 'link', 'set', name, 'up')
}

function linkFunctions(lab: Lab): void {
  if (existsSync('/etc/ctdb/functions')) symlinkSync('/etc/ctdb/functions', join(lab.dir, 'etc/functions'))
}

function standInForCtdb(lab: Lab, interfaces: readonly string[]): void {
  const known = ['|Name|LinkStatus|References|', ...interfaces.map((name) => `|${name}|1|0|`)].join('\\n')
  const program = `#!/bin/sh\n[ "$*" != "-X ifaces" ] || printf '${known}\\n'\n`
  writeFileSync(join(lab.dir, 'bin/ctdb'), program)
}
