/** The equipment of the bench's node beside its two interfaces. */
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import { INTERFACES } from './tasks.ts'

/** Ten interfaces, the files that CTDB's script needs, and a ctdb tool that is as cheap as possible. */
export async function furnish(lab: Lab): Promise<void> {
  for (const name of INTERFACES.slice(2)) await plug(lab, name)
  const names = INTERFACES.join(',')
  lab.configure('public_addresses', `10.0.0.1/24 ${names}\nfd00::1/64 ${names}\n`)
  linkFunctions(lab)
  standInForCtdb(lab, INTERFACES)
}

/** The node of the bulk part: two interfaces, and an address of its own because keepalived needs an IPv4 address. */
export async function furnishForBulk(lab: Lab): Promise<void> {
  await lab.node.must('ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0')
  // systemd sets this on every Debian machine. Without it the kernel drops all addresses of a network with the first.
  for (const name of ['all', 'eth0'])
    await lab.node.must('sh', '-c', `echo 1 >/proc/sys/net/ipv4/conf/${name}/promote_secondaries`)
  linkFunctions(lab)
  standInForCtdb(lab, ['eth0', 'eth1'])
}

/** Another interface of the node on the wire. eth0 and eth1 exist already. */
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
