/** A listing of which parts may be missing. */
import type { FormatOptions } from '../../format/table.ts'
import { complain, printListing, type Listing, type Output } from '../output.ts'

/** Prints the known rows; each missing part is a line on standard error, and makes the exit status 1. */
export function printPartial<Row>(
  output: Output,
  args: FormatOptions,
  listing: Listing<Row>,
  trouble: readonly string[],
): number {
  if (listing.rows.length > 0 || trouble.length === 0) printListing(output, args, listing)
  trouble.forEach(complain)
  return trouble.length > 0 ? 1 : 0
}

/** The arguments of a listing command that asks CTDB. */
export type AskingArgs = FormatOptions & { timeout: string }
