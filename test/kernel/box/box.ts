/**
 * A box: the node of a lab as a container would have it. It has podman's capabilities with the two that CTDB needs, a
 * /proc/sys that cannot be written, and these programs in PATH and no others.
 */
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../../lab/lab.ts'
import { programPath } from '../../lab/needs.ts'

export interface BoxOptions {
  /** Programs that are not there. */
  without?: readonly string[]
  /** Programs that are BusyBox's. */
  busybox?: readonly string[]
  /** Capabilities that are not there. */
  lacks?: readonly ('net_admin' | 'net_raw')[]
  /** What its os-release says. */
  system?: string
}

/** podman's own, by default. */
const PODMAN =
  'chown dac_override fowner fsetid kill net_bind_service setfcap setgid setpcap setuid sys_chroot'.split(' ')

/** All that the script and the daemon start, also a shell's. */
const PROGRAMS =
  'node ip ss iptables ip6tables flock sh arping ndptool ctdb perl logger sleep env cat tr readlink dirname'.split(
    ' ',
  )

/** What a box needs of the machine. */
export const NEEDS = ['setpriv', 'busybox', 'iptables', 'ss', 'flock', 'arping', 'ndptool', 'perl'] as const

/** The system's own os-release is hidden: remedies name its packages. */
const SHUT = `mount --rbind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys &&
mount --bind "$0" /etc/os-release && exec "$@"`

const isIn = (list: readonly string[]) => (each: string) => list.includes(each)

/** The same lab with its node in such a box. */
export function boxed(lab: Lab, options: BoxOptions = {}): Lab {
  const { without = [], busybox = [], lacks = [], system = 'ID=debian' } = options
  const folder = lab.folderWith(PROGRAMS.filter((each) => !isIn([...without, ...busybox])(each)))
  for (const applet of busybox) symlinkSync(programPath('busybox') ?? '', join(folder, applet))
  const osRelease = `${folder}.os-release`
  writeFileSync(osRelease, `${system}\n`)
  const may = [...PODMAN, 'net_admin', 'net_raw'].filter((each) => !isIn(lacks)(each))
  const limits = `setpriv --inh-caps=-all --bounding-set=-all,+${may.join(',+')}`.split(' ')
  const enter = ['unshare', '-m', 'sh', '-c', SHUT, osRelease, ...limits, '/usr/bin/env', `PATH=${folder}`]
  return lab.withNode(lab.node.by(...enter))
}
