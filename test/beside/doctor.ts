import type { Finding } from '../../runner/inspect/finding.ts'
import { OURS, type Booted } from '../lab/ctdb/booted.ts'
import type { Group } from './group.ts'

/** The checks of doctor that are about other programs. */
const CHECKS = ['networkd', 'NetworkManager', 'ifupdown', 'firewalld', 'ufw', 'docker']

async function examined({ run }: Booted): Promise<Finding[]> {
  const { out } = await run(`${OURS}/dist/runner/main.js`, 'doctor', '--json')
  return (JSON.parse(out) as Finding[]).filter(({ check }) => CHECKS.includes(check))
}

type Expected = Group['doctor'][number]

const isFinding = ({ state, subject, text }: Finding, expected: Expected) =>
  state === expected[0] && subject === expected[1] && expected[2].test(text)

/** What doctor says about other programs beyond what the group expects, and what it does not say. */
export async function otherFindings(node: Booted, { doctor }: Group): Promise<string[]> {
  const all = await examined(node)
  const more = all.filter((one) => !doctor.some((each) => isFinding(one, each)))
  const fewer = doctor.filter((each) => !all.some((one) => isFinding(one, each)))
  return [
    ...more.map(({ state, subject, text }) => `not expected: ${state} ${subject}: ${text}`),
    ...fewer.map((each) => `not found: ${each.join(' ')}`),
  ]
}

/** The remedies that doctor prints, as an admin would paste them. */
export async function remedies(node: Booted): Promise<string[]> {
  return (await examined(node)).flatMap(({ state, remedy }) => (state === 'ok' ? [] : (remedy ?? [])))
}
