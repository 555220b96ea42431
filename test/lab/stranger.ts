/** An unprivileged user of a lab's node, who does what any local user may do. Needs root, who becomes that user. */
import { chmodSync } from 'node:fs'
import type { Host } from './host/host.ts'
import type { Lab } from './lab.ts'
import { whyMissing } from './needs.ts'
import { waitFor } from './wait-for.ts'

/** "nobody" of Debian: owns no file. */
export const STRANGER = 65_534

const BECOME = ['setpriv', '--reuid', String(STRANGER), '--regid', String(STRANGER), '--clear-groups', '--']

/** Why nobody can be that user here: in a user namespace there is but one. */
export function whyNoStranger(): string | undefined {
  if (process.geteuid?.() !== 0) return 'needs root, who becomes an unprivileged user'
  return whyMissing(['setpriv', 'flock'])
}

/** That user, who may go into the folders of the lab as into /run/ctdb, /var/lib/ctdb and /etc/ctdb. */
export function stranger(lab: Lab): Host {
  chmodSync(lab.dir, 0o755)
  return lab.node.by(...BECOME)
}

/** That user holds a lock until the function that is given back is called: shared `-s`, or alone `-x`. */
export async function holdLock(user: Host, how: '-s' | '-x', file: string): Promise<() => Promise<void>> {
  const { child, text } = user.listen('flock', '-n', how, file, 'sh', '-c', 'echo locked; exec sleep 600')
  let over: string | undefined
  void child.then(({ stderr }) => (over = stderr))
  await waitFor(`the lock on ${file}`, () => {
    if (over !== undefined) throw new Error(`${file} was not locked: ${over}`)
    return text().includes('locked')
  })
  return async () => {
    child.kill()
    await child
  }
}
