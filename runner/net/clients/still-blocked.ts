/**
 * The addresses for which a rule could not be taken out, `KEEPDIR/blocked`, a line each: monitor tries again. The list says
 * where to look; whether there is a rule, and whose, the firewall says.
 */
import type { Node } from '../../node/node.ts'
import { Refusal } from '../../base/refusal.ts'
import { canonical } from '../../inet/address.ts'

/** Seconds to wait for others that write the list. */
const LOCK_SECONDS = 3

function fileOf({ settings }: Node): string {
  return `${settings.keepdir}/blocked`
}

/** What the list names. No such file: nothing. */
export async function stillBlocked(node: Node): Promise<string[]> {
  const text = (await node.read(fileOf(node))) ?? ''
  return text.split('\n').flatMap((line) => canonical(line.trim()) ?? [])
}

/** Put the addresses on the list. */
export async function noteBlocked(node: Node, addresses: readonly string[]): Promise<void> {
  await change(node, (blocked) => {
    for (const address of addresses) blocked.add(address)
  })
}

/** Take the addresses off the list. */
export async function forgetBlocked(node: Node, addresses: readonly string[]): Promise<void> {
  await change(node, (blocked) => {
    for (const address of addresses) blocked.delete(address)
  })
}

/** A list that cannot be kept is a WARNING: the next event for the address looks anyway. */
async function change(node: Node, edit: (blocked: Set<string>) => void): Promise<void> {
  const file = fileOf(node)
  const lock = `${file}.lock`
  try {
    await node.hold(lock, LOCK_SECONDS, async () => {
      const before = new Set(await stillBlocked(node))
      const after = new Set(before)
      edit(after)
      if ([...before].join() === [...after].join()) return
      await node.write(file, [...after].map((address) => `${address}\n`).join(''), { until: lock })
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    node.say(`WARNING: ${file} is not kept: ${error.message}`)
  }
}
