/** Two runs add the same rules and routes at the same moment: takeip by hand, and monitor, which puts back what was removed. */
import { lines } from '../../lab/host/namespace.ts'
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import {
  configure,
  confOf,
  expectedRoutes,
  FAMILIES,
  hold,
  listed,
  NAME,
  publicAddresses,
  routesOf,
  ruleOf,
  silent,
  STATIC,
  staticRoutesOf,
} from './routing-lab.ts'

/** Each batch of changes has been carried out a moment before, as `another` has it, by a run that saw what ours has seen. */
function beforeEachBatch(lab: Lab, another = 'cat'): void {
  const twice = `input=$(cat); echo "$input" | ${another} | $real "$@" >/dev/null 2>&1; echo "$input" | $real "$@"; exit`
  lab.standIn('ip', `case "$*" in *-force*) ${twice} ;; esac\nexec $real "$@"`)
}

if (!(await prepareFile())) {
  for (const of of FAMILIES)
    inLab(
      `${of.family}: rules and routes that are there by now, as wanted, fail neither takeip nor monitor`,
      {},
      async (t, lab) => {
        publicAddresses(lab)
        configure(lab, confOf(of))
        await hold(lab, of, of.one)
        listed(lab, [of.one])
        beforeEachBatch(lab)
        t.strictSame(await lab.handler(NAME, 'takeip', 'eth0', of.one, of.bits), silent)
        t.same(await routesOf(lab, of, of.one), expectedRoutes(of, 0))
        t.equal((await ruleOf(lab, of, of.one)).length, 1)
        await lab.node.must('ip', of.option, 'route', 'flush', 'table', `ctdb.${of.one}`)
        const told = await lab.handler(NAME, 'monitor')
        t.equal(told.status, 0)
        t.match(lines(told), [/^WARNING: policy routing put back/])
        t.same(await routesOf(lab, of, of.one), expectedRoutes(of, 0))
      },
    )

  inLab('static routes: the same', {}, async (t, lab) => {
    lab.configure('static-routes', FAMILIES.map((of) => `eth0 ${of.static} ${of.gateways[0]}\n`).join(''))
    for (const of of FAMILIES) await hold(lab, of, of.one)
    beforeEachBatch(lab)
    t.strictSame(await lab.handler(STATIC, 'ipreallocated'), silent)
    t.equal((await staticRoutesOf(lab)).length, 2)
    for (const of of FAMILIES) await lab.node.must('ip', of.option, 'route', 'flush', 'proto', 'static')
    t.match(lines(await lab.handler(STATIC, 'monitor')), [/^WARNING: static routes put back/])
    t.equal((await staticRoutesOf(lab)).length, 2)
  })

  const [ipv4] = FAMILIES as [(typeof FAMILIES)[number]]
  inLab(
    'IPv4: a route to the same destination by another gateway is none of ours: takeip fails',
    {},
    async (t, lab) => {
      const { one, bits, gateways } = ipv4
      publicAddresses(lab)
      configure(lab, confOf(ipv4))
      await hold(lab, ipv4, one)
      beforeEachBatch(lab, `sed 's/via ${gateways[0]}/via ${gateways[1]}/'`)
      const { status, err, out } = await lab.handler(NAME, 'takeip', 'eth0', one, bits)
      t.equal(status, 1)
      t.match(err + out, /failed to add route: .*File exists/)
      t.equal((await ruleOf(lab, ipv4, one)).length, 0)
    },
  )
}
