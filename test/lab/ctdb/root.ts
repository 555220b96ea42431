import { join } from 'node:path'
import { execa } from 'execa'
import { REPOSITORY } from '../paths.ts'

export const RELEASE_ROOT = join(REPOSITORY, 'test/lab/ctdb/release-root')
/** Its exit status when no mirror answers. */
const NO_MIRROR = 4

/** The folder of the chroot, or why it cannot be had. */
export type Root = { root: string } | { why: string }

/** The chroot of that release with those packages as well, made where it is not there. Rejects when making it fails. */
export async function rootOf(release: string, packages: readonly string[] = []): Promise<Root> {
  const env = packages.length > 0 ? { PACKAGES: packages.join(',') } : {}
  const { exitCode, stdout, stderr } = await execa(RELEASE_ROOT, [release], { env, reject: false })
  if (exitCode === 0) return { root: stdout }
  if (exitCode === NO_MIRROR) return { why: stderr }
  throw new Error(`release-root ${release}: exit status ${exitCode}: ${stderr}`)
}
