import type { Node } from '../../../node/node.ts'
import { refuse } from '../../../base/refusal.ts'

/** The options of policy routing. */
export interface Routing {
  /** The file, or `__auto_link_local__`. */
  conf: string
  /** The priority of our rules, by which we recognise them. */
  pref: number
  /** The range of table ids for us, both ends included. */
  low: number
  high: number
}

/** In place of a file: each address reaches its own subnet by its own interface, and has no other route. */
export const AUTO_LINK_LOCAL = '__auto_link_local__'

/** The kernel's own rules follow (`ip rule show`: main has 32766). */
const HIGHEST_PREF = 32765

/** Table ids are 32 bits wide. */
const HIGHEST_ID = 2 ** 32 - 1

/**
 * The options of policy routing; undefined when it is not configured, and no work is needed. Refuses options that cannot
 * work, in CTDB's words.
 */
export function policyRouting(node: Node): Routing | undefined {
  const conf = node.settings.option('CTDB_PER_IP_ROUTING_CONF')
  if (conf === '') return undefined
  const pref = node.settings.option('CTDB_PER_IP_ROUTING_RULE_PREF')
  const low = node.settings.option('CTDB_PER_IP_ROUTING_TABLE_ID_LOW')
  const high = node.settings.option('CTDB_PER_IP_ROUTING_TABLE_ID_HIGH')
  const why = whyWrong(pref, low, high)
  if (why) refuse(`error: ${why}: mend script.options`)
  return { conf, pref: Number(pref), low: Number(low), high: Number(high) }
}

/** What is wrong with the numbers; undefined when they are good. The sentences begin as CTDB's own lines do. */
export function whyWrong(pref: string, low: string, high: string): string | undefined {
  if (pref === '')
    return 'CTDB_PER_IP_ROUTING_RULE_PREF not configured: expected the priority of the rules, such as 100'
  if (!isNumber(pref, 1, HIGHEST_PREF))
    return `CTDB_PER_IP_ROUTING_RULE_PREF="${pref}": expected a number from 1 to ${HIGHEST_PREF}`
  const range = `CTDB_PER_IP_ROUTING_TABLE_ID_LOW[${low}]`
  if (!isNumber(low, 0, HIGHEST_ID) || !isNumber(high, 1, HIGHEST_ID) || Number(low) >= Number(high))
    return `${range} and/or CTDB_PER_IP_ROUTING_TABLE_ID_HIGH[${high}] improperly configured: expected LOW < HIGH, such as 1000 and 9000`
  // CTDB's rule: a range that holds only some of the three is accepted, and these are not given out
  if (Number(low) <= 253 && Number(high) >= 255)
    return `range ${range}..CTDB_PER_IP_ROUTING_TABLE_ID_HIGH[${high}] must not include 253-255: these are the tables default, main and local`
  return undefined
}

function isNumber(text: string, least: number, most: number): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most
}
