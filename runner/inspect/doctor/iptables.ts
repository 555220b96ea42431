/** The firewall: whether its programs are there, new enough, and list the rules; and rules that they do not list. */
import type { Door } from '../../machine/machine.ts'
import { packageOf, toBeAllowed } from '../../machine/remedy/remedy.ts'
import { listRules, type FirewallProgram } from '../../net/clients/blocking-rule.ts'
import { rulesIn } from '../../net/clients/firewall.ts'
import { isTooOld, OLDEST_IPTABLES } from '../../net/clients/oldest-iptables.ts'
import { otherProgram, otherRules } from '../../net/clients/other-tables.ts'
import { about, type Examination, type Finding, type Patient } from '../finding.ts'

export const iptables: Examination = async (patient) => {
  const { uses } = patient
  return [
    ...(uses.inet ? await examine(patient, 'iptables') : []),
    ...(uses.inet6 ? await examine(patient, 'ip6tables') : []),
  ]
}

async function examine({ door, facts }: Patient, program: FirewallProgram): Promise<Finding[]> {
  const { ok, warn, error } = about('iptables')
  if (!(await door.find(program))) {
    const seen = 'not found: clients of an address that leaves are reset instead of moved'
    return warn(program, seen, packageOf(program))
  }
  const version = (await door.ask`${program} -V`).out.trim()
  const newer = `install ${OLDEST_IPTABLES} or newer`
  if (isTooOld(version)) return error(program, `${version}: too old, it does not know "-w SECONDS"`, newer)
  // only root may list rules
  if (!facts.privileged) return warn(program, `${version}: not tried: ${toBeAllowed('CAP_NET_ADMIN')}`)
  const rules = rulesIn(await door.ask`${listRules(program)}`)
  if (typeof rules !== 'string') return [...ok(program, version), ...(await besideIt(door, program))]
  return error(program, `cannot list its rules: ${rules}`, 'repair iptables, or remove it')
}

/** Rules in the tables of the other form of iptables. */
async function besideIt(door: Door, program: FirewallProgram): Promise<Finding[]> {
  const other = await otherProgram(door, program)
  const rules = other === undefined ? [] : await otherRules(door, program, other)
  if (other === undefined || rules.length === 0) return []
  const count = `${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}`
  const seen = `${count} for arriving packets that ${program} does not list, and that hold as well`
  return about('iptables').warn(other, typeof rules === 'string' ? rules : seen, `${other} -S INPUT`)
}
