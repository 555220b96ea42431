/**
 * Which files may keep their reader waiting for good. A file system that another process or host serves may stop answering,
 * and then so does every thread that looks at a file there: such files are read by a child that can be abandoned
 * (far-file.ts). This look itself never touches one of them.
 */
import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** File systems that the kernel serves by itself, from memory or from a disk of this host. */
const LOCAL = new Set(
  (
    'bcachefs bdev binfmt_misc bpf btrfs cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs erofs exfat ' +
    'ext2 ext3 ext4 f2fs fusectl hugetlbfs iso9660 jfs mqueue nilfs2 nsfs ntfs3 overlay proc pstore ramfs reiserfs rootfs ' +
    'securityfs selinuxfs squashfs sysfs tmpfs tracefs ubifs udf vfat xfs zfs'
  ).split(' '),
)

/** Links in one path, as for the kernel. */
const MOST_LINKS = 40

/** The type of the file system at each mount point, the uppermost where several are mounted on one. */
export type Mounts = ReadonlyMap<string, string>

/** `/proc/self/mountinfo` (proc(5)): the fifth word is the mount point, and the type comes after the ` - `. */
export function parseMounts(text: string): Mounts {
  const mounts = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const point = before.split(' ')[4]
    if (point !== undefined) mounts.set(withoutEscapes(point), after.split(' ')[0] ?? '')
  }
  return mounts
}

/** Is a file system mounted that may stop answering? Where nobody can tell, the answer is no. */
export function hasFarMounts(): boolean {
  try {
    return [...mountsHere().values()].some((type) => !LOCAL.has(type))
  } catch {
    return false
  }
}

/** Milliseconds for which the table of mounts is not read again. */
const MOUNTS_MS = 100

let seen: { mounts: Mounts; at: number } | undefined

function mountsHere(): Mounts {
  const now = performance.now()
  if (!seen || now - seen.at > MOUNTS_MS)
    seen = { mounts: parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')), at: now }
  return seen.mounts
}

/** A blank in a mount point is printed as `\040`. */
function withoutEscapes(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
}

/** One part of a path as a look at it finds it; never called for what is on a file system that may hang. */
type Look = (path: string) => { kind: 'link'; target: string } | { kind: 'plain' | 'other' | 'missing' }

/**
 * Where a path leads: `far` is a file system that is not local; `linked`: there by a link; `special`: a local pipe, socket or
 * device, whose status can be asked for, but whose content may never come.
 */
export type Reach = 'near' | 'special' | 'far' | 'linked'

/** The place of an absolute path. The root file system counts as local, whatever it is: our own programs are there. */
export function reachOf(path: string, mounts: Mounts, look: Look): Reach {
  const todo = resolve('/', path).split('/').filter(Boolean)
  let here = '/'
  for (let links = 0; todo.length > 0;) {
    const next = join(here, todo.shift() ?? '')
    if (!LOCAL.has(mounts.get(next) ?? 'rootfs')) return links > 0 ? 'linked' : 'far'
    const found = look(next)
    if (found.kind === 'plain') {
      here = next
      continue
    }
    if (found.kind === 'other' && todo.length === 0) return 'special'
    if (found.kind !== 'link' || ++links > MOST_LINKS) return 'near' // the read says what is wrong
    todo.unshift(...resolve(here, found.target).split('/').filter(Boolean))
    here = '/'
  }
  return 'near'
}

const lookHere: Look = (path) => {
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (!status) return { kind: 'missing' }
  if (status.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) }
  return { kind: status.isFile() || status.isDirectory() ? 'plain' : 'other' }
}

/** The kernel's own, which events read most. */
const KERNEL = /^\/(?:proc|sys)\//

/** What was seen in this turn of the event loop: events that come together look at the same files. */
let reaches: Map<string, Reach> | undefined

/** The place of a file of this machine. Where nobody can tell, as there is no /proc, it is near. */
export function reachHere(path: string): Reach {
  if (KERNEL.test(path)) return 'near'
  try {
    reaches ??= beginTurn()
    const reach = reaches.get(path) ?? reachOf(resolve(path), mountsHere(), lookHere)
    reaches.set(path, reach)
    return reach
  } catch {
    return 'near' // the read says why
  }
}

function beginTurn(): Map<string, Reach> {
  setImmediate(() => (reaches = undefined))
  return new Map()
}

/** May already the question whether the file is there hang? */
export function isFar(path: string): boolean {
  const reach = reachHere(path)
  return reach === 'far' || reach === 'linked'
}
