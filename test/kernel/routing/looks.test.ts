/** What the looks of monitor at rules and routes cost: two programs at most, none where nothing is configured. */
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { programsOf } from './programs.ts'
import {
  configure,
  confOf,
  FAMILIES,
  type Family,
  hold,
  hosts,
  listed,
  NAME,
  publicAddresses,
  ruleOf,
  silent,
  STATIC,
} from './routing-lab.ts'

const SETS: readonly (readonly [string, readonly Family[]])[] = [
  ...FAMILIES.map((of) => [of.family, [of]] as const),
  ['both families', FAMILIES],
]
const HANDLERS = [STATIC, NAME]

/** Each of the two handlers is configured for these families, or not at all, as by `configured`. */
async function prepare(lab: Lab, families: readonly Family[], configured: readonly string[]): Promise<void> {
  publicAddresses(lab)
  const ips = families.flatMap(({ one, other }) => [one, other])
  if (configured.includes(NAME)) configure(lab, families.map(confOf).join(''))
  if (configured.includes(STATIC))
    lab.configure('static-routes', families.map((of) => `eth0 ${of.static} ${of.gateways[0]}\n`).join(''))
  for (const of of families) for (const ip of [of.one, of.other]) await hold(lab, of, ip)
  listed(lab, ips)
  hosts(
    lab,
    ips.map((ip) => [ip, 'eth0']),
  )
}

async function monitored(lab: Lab): Promise<string[]> {
  const started: string[] = []
  for (const name of HANDLERS) started.push(...(await programsOf(lab, name)))
  return started
}

if (!(await prepareFile()))
  for (const [set, families] of SETS)
    for (const configured of [[], [STATIC], [NAME], HANDLERS])
      inLab(
        `${set}: monitor with ${configured.join(' and ') || 'nothing configured'}`,
        {},
        async (t, lab) => {
          await prepare(lab, families, configured)
          for (const name of HANDLERS) t.strictSame(await lab.handler(name, 'ipreallocated'), silent)
          t.same(
            await monitored(lab),
            configured.map(() => 'ip'),
            'one program each',
          )
          if (!configured.includes(NAME)) return
          for (const of of families) await lab.node.must('ip', of.option, 'rule', 'del', 'from', of.one)
          await monitored(lab)
          for (const of of families)
            t.equal((await ruleOf(lab, of, of.one)).length, 1, `${of.one} is routed again`)
          t.same(
            await monitored(lab),
            configured.map(() => 'ip'),
          )
        },
      )
