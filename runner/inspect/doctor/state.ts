/** CTDB's folder of state and ours: room, rights, and what an admin's edit or a full disk has left there. */
import { accessSync, constants, existsSync, realpathSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { canonical } from '../../inet/address.ts'
import { accessOf, writableBy } from '../../install/trust/access.ts'
import { toBeAllowed } from '../../machine/remedy/remedy.ts'
import { keepdirOf } from '../../node/ctdb-path.ts'
import { about, type Examination } from '../finding.ts'

/** Bytes: the lists and locks in that folder need a few thousand. */
const LITTLE = 1024 * 1024

const state: Examination = ({ facts, vardir: folder }) => {
  const { ok, warn, error } = about('state')
  const there = nearest(folder)
  const { bavail, bsize } = statfsSync(there)
  if (bavail * bsize < LITTLE)
    return error(
      folder,
      `${bavail * bsize} bytes are left on its disk: what this node hosts is not kept`,
      `df ${there}`,
    )
  if (!facts.privileged) return warn(folder, `not tried: ${toBeAllowed('CAP_NET_ADMIN')}`)
  try {
    accessSync(there, constants.W_OK)
    return ok(folder, there === folder ? 'can be written' : 'not there yet: the first event makes it')
  } catch {
    return error(
      folder,
      'cannot be written: what this node hosts is not kept',
      `mount, and permissions, of ${there}`,
    )
  }
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path))
}

/** A line of my-public-ip-addresses that is no address comes from an admin's edit or a full disk. */
const cache: Examination = async ({ door, vardir }) => {
  const { warn } = about('state')
  const file = join(vardir, 'my-public-ip-addresses')
  const lines = ((await door.read(file)) ?? '').split('\n')
  return lines.flatMap((line, i) =>
    line.trim() === '' || canonical(line.trim())
      ? []
      : warn(
          file,
          `line ${i + 1}: "${line.trim()}" is no address`,
          `rm ${file}: the next ipreallocated writes it`,
        ),
  )
}

/** Locks and lists lie there: whoever may write there can keep addresses from moving. */
const trust: Examination = ({ vardir }) => {
  const { error } = about('state')
  const folders = new Set([vardir, keepdirOf(vardir)].map((folder) => realpathSync(nearest(folder))))
  return [...folders].flatMap((folder) => {
    const open = writableBy(accessOf(folder))
    return open
      ? error(
          folder,
          `${open.seen}: the events of root trust what is there`,
          open.repair ?? 'have it where only root writes',
        )
      : []
  })
}

/** In the order in which an admin would look. */
export const STATE = { state, trust, cache }
