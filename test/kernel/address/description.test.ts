/**
 * `ip -json` prints no JSON when the description or an altname of any device has an apostrophe (before iproute2 6.1) or a
 * control character (6.1). All handlers and commands work beside such a device.
 */
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'

const TEXTS = ["it's mine", '\u001b[1mrack\u001b[0m 4\u0001', 'a "quote", a back\\slash, a\ttab\nand a line']

/** A bridge without members, which no public address is on. */
async function describe(lab: Lab, text: string): Promise<void> {
  const { status } = await lab.node.run('ip', 'link', 'show', 'dev', 'other')
  if (status !== 0) await lab.node.must('ip', 'link', 'add', 'other', 'type', 'bridge')
  await lab.node.must('ip', 'link', 'set', 'dev', 'other', 'alias', text)
}

/** `ip` as before 6.1: an apostrophe gets a backslash. */
const WITH_BACKSLASHES = `case "$*" in
*-json*) out=$("$real" "$@") || exit; printf '%s\\n' "$out" | sed "s/'/\\\\\\\\'/g" ;;
*) exec "$real" "$@" ;;
esac`

const STORIES: readonly [what: string, text: string, ip?: string][] = [
  ...TEXTS.map((text): [string, string] => [JSON.stringify(text), text]),
  ['an apostrophe, before 6.1', TEXTS[0] ?? '', WITH_BACKSLASHES],
]

function configure(lab: Lab): void {
  lab.configure('static-routes', 'eth0 10.5.0.0/16 10.0.0.254\n')
  lab.configure(
    'script.options',
    'CTDB_PER_IP_ROUTING_CONF=__auto_link_local__\nCTDB_PER_IP_ROUTING_RULE_PREF=100\n' +
      'CTDB_PER_IP_ROUTING_TABLE_ID_LOW=1000\nCTDB_PER_IP_ROUTING_TABLE_ID_HIGH=1009\n',
  )
  const row = '|10.0.0.1|0|eth0|eth0|eth0|\n'
  lab.ctdbSays('ip_-v', `|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n${row}`)
}

const HANDLERS = ['10.interface', '11.routing', '13.per_ip_routing']
const EVENTS = [
  'monitor',
  'takeip eth0 10.0.0.1 24',
  'ipreallocated',
  'monitor',
  'releaseip eth0 10.0.0.1 24',
]

const nothing = await prepareFile()
if (!nothing) {
  for (const [what, text, ip] of STORIES)
    inLab(`a device is described by ${what}: every event goes well`, {}, async (t, lab) => {
      configure(lab)
      await describe(lab, text)
      if (ip !== undefined) lab.standIn('ip', ip)
      for (const event of EVENTS)
        for (const handler of HANDLERS) {
          const { status, out, err } = await lab.handler(handler, ...event.split(' '))
          t.equal(status, 0, `${handler} ${event}: ${out}${err}`)
        }
      for (const command of ['ip', 'ifaces', 'audit']) {
        const { out, err } = await lab.eventscript(command)
        t.notMatch(out + err, /-json printed/, command)
      }
    })

  inLab('an altname has an apostrophe and a control character', {}, async (t, lab) => {
    configure(lab)
    const altname = "storage's\u0001"
    await lab.node.must('ip', 'link', 'property', 'add', 'dev', 'eth1', 'altname', altname)
    for (const ip of [undefined, WITH_BACKSLASHES]) {
      if (ip !== undefined) lab.standIn('ip', ip)
      for (const event of EVENTS) t.match(await lab.script(...event.split(' ')), { status: 0 }, event)
    }
  })

  inLab('beside such a device our event daemon moves addresses as well', {}, async (t, lab) => {
    await describe(lab, TEXTS[1] ?? '')
    const daemon = await lab.daemon()
    for (const event of [
      'takeip eth0 10.0.0.1 24',
      'takeip eth0 10.0.0.2 24',
      'updateip eth0 eth1 10.0.0.1 24',
      'monitor',
    ]) {
      const [name = '', ...words] = event.split(' ')
      t.equal(await daemon.run(name, ...words), 0, `${event}: ${daemon.log()}`)
    }
    const gone = await Promise.all([
      daemon.run('releaseip', 'eth1', '10.0.0.1', '24'),
      daemon.run('releaseip', 'eth0', '10.0.0.2', '24'),
    ])
    t.same(gone, [0, 0], daemon.log())
    await waitFor('both to be gone', async () => {
      const shown = await lab.node.must('ip', 'addr', 'show')
      return !shown.includes('10.0.0.')
    })
  })

  inLab('the details of a device are no JSON: monitor asks again without details', {}, async (t, lab) => {
    lab.standIn(
      'ip',
      'case "$*" in *-details*) "$real" "$@" | sed s/linkinfo/lin\\"kinfo/ ;; *) exec "$real" "$@" ;; esac',
    )
    await describe(lab, 'plain')
    t.match(await lab.script('monitor'), { status: 0 })
    const why = await lab.eventscript('explain', 'monitor')
    t.match(why.out, /asking again without details/)
    await lab.observer.must('ip', 'link', 'set', 'port-eth1', 'down')
    t.match(await lab.script('monitor'), { status: 1, err: /No link on the public network interface eth1/ })
  })
}
