import { hostedNow } from '../net/address/hosted-list.ts'
import { readPublicAddresses, type PublicAddresses } from '../net/address/public-addresses.ts'
import { FileError } from '../machine/errors.ts'
import type { Node } from '../node/node.ts'

/** The list of public addresses as far as it is known. */
export interface KnownList extends PublicAddresses {
  /** Why the list cannot be read. */
  unread?: string
  /** Of a list that cannot be read: the addresses that this node has taken. */
  taken: readonly string[]
}

/** A list that cannot be read is a problem, and hides nothing else that is known. */
export async function listedAsFarAsKnown(node: Node): Promise<KnownList> {
  const none = { entries: [], problems: [], doubtful: [], taken: [] }
  try {
    return { ...none, ...(await readPublicAddresses(node)) }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { ...none, problems: [error.message], unread: error.message, taken: (await hostedNow(node)) ?? [] }
  }
}
