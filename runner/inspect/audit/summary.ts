/** The verdict of an audit in one line: what it covers, and never good where a part is not known. Pure. */
import { firstNames } from '../../format/names.ts'
import type { Audited } from './audit.ts'
import type { Fault } from './fault.ts'

/** How many public addresses are here, as they should be. */
function countHere({ rows }: Pick<Audited, 'rows'>): number {
  return rows.filter(({ state }) => state === 'here').length
}

export function summaryOf(audited: Pick<Audited, 'rows' | 'own' | 'faults' | 'trouble'>): string {
  const { own, faults, trouble } = audited
  const addresses = addressesOf(audited)
  const found = foundOf(faults)
  if (trouble.length > 0)
    return `not all could be looked at, ${found ?? 'no fault in the rest'}: ${addresses}`
  return found === undefined
    ? `nothing is wrong: ${addresses}; node ${own} is OK to CTDB; routes, firewall and sysctls were looked at`
    : `${found}: ${addresses}`
}

/** Parked addresses by name, the others by number. */
function foundOf(faults: readonly Fault[]): string | undefined {
  const parked = faults.filter(({ kind }) => kind === 'parked').map(({ subject }) => subject)
  const others = faults.filter(({ kind }) => kind !== 'parked')
  const count = (state: Fault['state']) => others.filter((each) => each.state === state).length
  const parts = [
    ...(others.length === 0 ? [] : [`${count('error')} wrong, ${count('warning')} weak`]),
    ...(parked.length === 0
      ? []
      : [`${parked.length} parked, which another host has: ${firstNames(parked)}`]),
  ]
  return parts.length === 0 ? undefined : parts.join('; ')
}

function addressesOf(audited: Pick<Audited, 'rows' | 'own' | 'trouble'>): string {
  const { rows, own, trouble } = audited
  if (rows.length === 0 && trouble.length > 0) return 'which public addresses there are is not known'
  const place = own === undefined ? 'where they should be is not known' : `${countHere(audited)} of them here`
  return `${rows.length} public addresses, ${place}`
}
