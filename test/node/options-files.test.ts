import t from '../tap.ts'
import { withSbin } from '../../runner/machine/live/find-program.ts'
import { nearMisses } from '../../runner/node/near-misses.ts'

t.test('a line that was meant to set an option is named', (t) => {
  const misses: [string, RegExp][] = [
    [
      'EVENTSCRIPT_DAD_CONFLICT = park',
      /line 1: a blank beside "=" of EVENTSCRIPT_DAD_CONFLICT: .* expected EVENTSCRIPT_DAD_CONFLICT=VALUE/,
    ],
    ['EVENTSCRIPT_DAD_CONFLICT =park', /a blank beside/],
    ['EVENTSCRIPT_DAD_CONFLICT= park', /a blank beside/],
    ['export EVENTSCRIPT_DDA=off', /EVENTSCRIPT_DDA is no option: expected EVENTSCRIPT_DAD:/],
    ['EVENTSCRIPT_DAD_CONFLIKT=park', /expected EVENTSCRIPT_DAD_CONFLICT:/],
    ['eventscript_dad=off', /expected EVENTSCRIPT_DAD:/],
    ['EVENTSCRIPT-DAD=off', /expected EVENTSCRIPT_DAD:/],
    [
      'EVENTSCRIPT_NOTHING_LIKE_IT=1',
      /EVENTSCRIPT_NOTHING_LIKE_IT is no option: expected one of eventscript\(8\)/,
    ],
    ['CTDB_LVS_NODE=/etc/ctdb/lvs_nodes', /expected CTDB_LVS_NODES:/],
    ['CTDB_PARTIALLY_ONLINE_INTERFACE=yes', /expected CTDB_PARTIALLY_ONLINE_INTERFACES:/],
    [
      'EVENTSCRIPT_DAD: fast',
      /the shell sets no EVENTSCRIPT_DAD by this line: expected EVENTSCRIPT_DAD=VALUE:/,
    ],
    ['EVENTSCRIPT_DAD:=fast', /expected EVENTSCRIPT_DAD=VALUE:/],
    ['EVENTSCRIPT_DAD fast', /expected EVENTSCRIPT_DAD=VALUE:/],
    ['$EVENTSCRIPT_DAD=fast', /expected EVENTSCRIPT_DAD=VALUE:/],
    ['set EVENTSCRIPT_DAD=fast', /expected EVENTSCRIPT_DAD=VALUE:/],
    ['setenv EVENTSCRIPT_DAD fast', /expected EVENTSCRIPT_DAD=VALUE:/],
    ['set EVENTSCRIPT_DAD = fast  # csh', /expected EVENTSCRIPT_DAD=VALUE:/],
    ['set EVENTSCRIPT_DDA=fast', /sets no EVENTSCRIPT_DDA by .* expected EVENTSCRIPT_DAD=VALUE:/],
    ['EVENTSCRIPT_OTHER: 1', /sets no EVENTSCRIPT_OTHER by .* expected one of eventscript\(8\):/],
  ]
  for (const [line, expected] of misses) {
    const [found = '', ...more] = nearMisses('/etc/ctdb/script.options', `${line}\n`)
    t.match(found, expected, line)
    t.match(found, /^WARNING: \/etc\/ctdb\/script\.options line 1: .*: mend script\.options$/)
    t.same(more, [])
    t.match(
      nearMisses('/etc/ctdb/events/legacy/10.interface.options', line)[0],
      /^WARNING: \/etc\/ctdb\/events\/legacy\/10\.interface\.options line 1: .*: mend 10\.interface\.options$/,
    )
  }
  t.end()
})

t.test('options that are good, or of other scripts, are not', (t) => {
  const good = [
    'EVENTSCRIPT_DAD=off',
    ' export EVENTSCRIPT_DAD="off"  # x',
    'EVENTSCRIPT_DAD= # the default',
    '# EVENTSCRIPT_DDA = off',
    'CTDB_NATGW_NODES=/etc/ctdb/natgw_nodes',
    'CTDB_NATGW_PUBLIC_IFACE=eth0',
    'CTDB_SAMBA_SKIP_SHARE_CHECK=yes',
    'export EVENTSCRIPT_DAD',
    'unset EVENTSCRIPT_DAD',
    'export EVENTSCRIPT_DAD CTDB_LVS_NODES',
    ': "${EVENTSCRIPT_DAD:=off}"',
    'set -u',
    'EVENTSCRIPT_DAD) true ;;',
    'SMB_PASSWORD: secret',
    'if [ "$x" = y ]; then EVENTSCRIPT_DAD=off; fi',
    '',
  ]
  for (const line of good) t.same(nearMisses('f', `${line}\n`), [], line)
  t.end()
})

t.test('programs are looked for in sbin, too', (t) => {
  t.equal(withSbin('/usr/bin:/bin'), '/usr/bin:/bin:/usr/sbin:/sbin')
  t.equal(withSbin('/usr/sbin:/usr/bin:/opt/x'), '/usr/sbin:/usr/bin:/opt/x')
  t.end()
})
