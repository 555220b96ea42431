import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { LockBusy } from '../../machine/errors.ts'
import { canonical } from '../../inet/address.ts'

/** Seconds that CTDB's own scripts wait for this lock. */
const LOCK_SECONDS = 10

/**
 * Change the list of public addresses that this node hosts, `my-public-ip-addresses`, under the lock that CTDB's
 * scripts take. The list is replaced as a whole, never has an address twice, and is left alone when nothing changes.
 * A busy lock or a full disk is a WARNING: the address has moved by now, and the next ipreallocated writes the
 * list afresh.
 */
export async function updateHosted(node: Node, change: (hosted: Set<string>) => void): Promise<void> {
  const file = hostedFile(node.settings.vardir)
  try {
    const lock = hostedLock(node.settings.vardir)
    await node.hold(lock, LOCK_SECONDS, async () => {
      const before = (await node.read(file)) ?? ''
      const hosted = parseHosted(before)
      // the set is about to be changed in place: should that fail, the text is read anew
      last = undefined
      change(hosted)
      const after = [...hosted, ''].join('\n')
      if (after !== before) await node.write(file, after, { until: lock, readers: 'all' })
      last = { text: after, hosted }
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const what =
      error instanceof LockBusy ? 'ctdb_get_my_public_ip_addresses: timeout' : `${file} is not kept`
    node.say(`WARNING: ${what}: ${error.message}`)
  }
}

/** The path of that list. */
export function hostedFile(vardir: string): string {
  return `${vardir}/my-public-ip-addresses`
}

/** The lock that CTDB's scripts take around that list. */
export function hostedLock(vardir: string): string {
  return `${hostedFile(vardir)}.lock`
}

/** The addresses that this node hosts, as last written; undefined when there is no list. */
export async function hostedNow(node: Node, how?: { within: number }): Promise<string[] | undefined> {
  const text = await node.read(hostedFile(node.settings.vardir), how)
  return text === undefined ? undefined : [...parseHosted(text)]
}

/** The text written last is the text read next, when hundreds of addresses move at once. */
let last: { text: string; hosted: Set<string> } | undefined

function parseHosted(text: string): Set<string> {
  if (text !== last?.text)
    last = { text, hosted: new Set(text.split('\n').flatMap((line) => canonical(line.trim()) ?? [])) }
  return last.hosted
}
