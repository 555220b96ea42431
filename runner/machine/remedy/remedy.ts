/**
 * What can be done about a fault depends on the system and on the user, and messages are made in many places: as with a
 * language, a program says once whom it speaks to. A recording says whom it spoke to, so that it replays the same
 * everywhere. Until then: Debian, and a user who is not root.
 */
import { CAPABILITIES, lackingHere, type Capability } from './capabilities.ts'
import { DISTRIBUTIONS, distributionHere, packageIn, type Distribution } from './packages.ts'

export interface Reader {
  isRoot: boolean
  lacks: readonly Capability[]
  distribution: Distribution
}

export const ANYBODY: Reader = { isRoot: false, lacks: [], distribution: 'debian' }

/** Who runs this process, and where. */
export function readerHere(): Reader {
  return { isRoot: process.geteuid?.() === 0, lacks: lackingHere(), distribution: distributionHere() }
}

let reader = ANYBODY

export function speakTo(next: Reader): void {
  reader = next
}

/** What to install to get a program: `install iproute2`. */
export function packageOf(program: string): string | undefined {
  const name = packageIn(reader.distribution, program)
  return name && `install ${name}`
}

/** What lets this user start a program that may not be: root may start whatever anybody may. */
export function toBeExecuted(): string {
  return reader.isRoot ? 'see its mode ("ls -l"), "noexec" of its file system, and SELinux' : 'run as root'
}

/** What lets this user do what was refused for want of a capability. */
export function toBeAllowed(capability: Capability): string {
  if (!reader.isRoot) return 'run as root'
  return reader.lacks.includes(capability)
    ? `root lacks ${capability}: start the container with --cap-add ${capability.replace('CAP_', '')}`
    : `root has ${capability}: SELinux, AppArmor or a user namespace forbids it: see docs/containers.md`
}

/** As it stands in a recording; one of an older version has nothing of it. */
export function readerAsText({ isRoot, lacks, distribution }: Reader): Record<string, string> {
  return { user: isRoot ? 'root' : 'other', lacks: lacks.join(' '), distribution }
}

/** And back. */
export function readerFromText(facts: Readonly<Record<string, string>>): Reader {
  const distribution = DISTRIBUTIONS.find((each) => each === facts['distribution']) ?? ANYBODY.distribution
  const lacks = CAPABILITIES.filter((each) => facts['lacks']?.split(' ').includes(each))
  return { isRoot: facts['user'] === 'root', lacks, distribution }
}
