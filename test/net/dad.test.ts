/** EVENTSCRIPT_DAD: the words of the option, the record of lowered times, and the actions after an event. */
import t from '../tap.ts'
import { dadState } from '../../runner/net/dad/state.ts'
import { dadPolicy } from '../../runner/net/dad/policy.ts'
import { nextFor } from '../../runner/net/announce/after-event.ts'
import { together } from '../../runner/net/announce/question.ts'
import { isStill, keptText, merged, parseKept, wishDue } from '../../runner/net/sysctl/record.ts'
import { choice, number, perAddress } from '../../runner/node/option-kinds.ts'
import type { Settings } from '../../runner/node/settings.ts'

const DELAY = '/proc/sys/net/ipv6/conf/eth0/router_solicitation_delay'
const PROBES = '/proc/sys/net/ipv6/conf/eth0/dad_transmits'
const RETRANS = '/proc/sys/net/ipv6/neigh/eth0/retrans_time_ms'

t.test('a bare word is for the node, ADDRESS=word for a single address, in any spelling and case', (t) => {
  const { read } = perAddress('default', 'fast', 'off')
  const cases: [string, string, string][] = [
    // option, address, policy
    ['', 'fd00::1', 'default'],
    ['fast', 'fd00::1', 'fast'],
    ['FAST', 'fd00::1', 'fast'],
    ['fast fd00::1=off', 'fd00::1', 'off'],
    ['fast fd00::1=off', 'fd00::2', 'fast'],
    ['fd00::1=off', 'fd00::2', 'default'],
    ['fd00::1=off\tfast', 'fd00::1', 'off'],
    ['FD00:0:0::0001=off', 'fd00::1', 'off'],
    ['[fd00::1]=off', 'fd00::1', 'off'],
    ['off fast', 'fd00::1', 'fast'],
    ['fd00::1=off fd00::1=fast', 'fd00::1', 'fast'],
  ]
  for (const [text, address, policy] of cases) {
    const { value, wrong } = read(text)
    t.equal(value.of(address), policy, text)
    t.equal(value.isSet, text !== '', text)
    t.same(wrong, [], text)
  }
  t.end()
})

t.test('each wrong word of such an option is reported, and the other words count', (t) => {
  const { value, wrong } = perAddress('default', 'fast', 'off').read(
    'quick fast fd00::x=off =off fd00::2= fd00::1=off',
  )
  t.same(
    wrong.map(({ using }) => using),
    ['nothing of "quick"', 'nothing of "fd00::x=off"', 'nothing of "=off"', 'nothing of "fd00::2="'],
  )
  t.equal(value.of('fd00::2'), 'fast')
  t.equal(value.of('fd00::1'), 'off')
  t.end()
})

t.test('a number outside its limits, or an unreadable number, gives the default with a warning', (t) => {
  const { read } = number(3, 1, 10)
  for (const good of ['1', '10', '07']) t.same(read(good), { value: Number(good), wrong: [] })
  t.same(read(''), { value: 3, wrong: [] })
  for (const bad of ['0', '11', '-1', '2.5', '3s', 'many', '99999999999999999999'])
    t.same(read(bad), { value: 3, wrong: [{ expected: '1 to 10', using: '3' }] }, bad)
  t.end()
})

t.test('an unknown word gives the first choice, with a warning', (t) => {
  const { read } = choice('try', 'yes', 'no')
  t.same(read('NO'), { value: 'no', wrong: [] })
  t.same(read(''), { value: 'try', wrong: [] })
  t.same(read('perhaps'), { value: 'try', wrong: [{ expected: 'try, yes, no', using: 'try' }] })
  t.end()
})

t.test('the flags of /proc/net/if_inet6 as kernel 6.18 shows them', (t) => {
  const states = { '80': 'ready', c0: 'tentative', c4: 'optimistic', c8: 'duplicate', '82': 'ready' }
  for (const [flags, state] of Object.entries(states))
    t.equal(
      dadState(`fd000000000000000000000000000001 03 40 00 ${flags}     eth0\n`, 'fd00::1', 'eth0'),
      state,
    )
  t.equal(dadState('', 'fd00::1', 'eth0'), 'absent')
  t.end()
})

t.test(
  'a policy decides the word for ip, the sysctls to change, when an address is usable, and which process watches',
  (t) => {
    const { read } = perAddress('default', 'fast', 'optimistic', 'off')
    const options: Record<string, unknown> = { EVENTSCRIPT_DAD_PROBES: 3, EVENTSCRIPT_DAD_INTERVAL_MS: 100 }
    const told = (word: string, address: string) => {
      const settings = {
        option: (name: string) => (name === 'EVENTSCRIPT_DAD' ? read(word).value : options[name]),
      } as unknown as Settings
      const { flag, sysctls, usable, watched } = dadPolicy({ settings }, address)
      return { flag, sysctls: sysctls('eth0', settings), usable, watched }
    }
    const plain = { flag: [], sysctls: [], usable: ['ready'], watched: false }
    t.same(told('', 'fd00::1'), plain)
    t.same(told('fast', 'fd00::1'), {
      ...plain,
      sysctls: [
        { path: DELAY, value: 0, most: true },
        { path: PROBES, value: 3, unless: 0 },
        { path: RETRANS, value: 100, most: true },
      ],
    })
    t.same(told('optimistic', 'fd00::1'), {
      flag: ['optimistic'],
      sysctls: [{ path: '/proc/sys/net/ipv6/conf/eth0/optimistic_dad', value: 1 }],
      usable: ['ready', 'optimistic'],
      watched: true,
    })
    t.same(told('off', 'fd00::1'), { ...plain, flag: ['nodad'] })
    for (const word of ['fast', 'optimistic', 'off']) t.same(told(word, '10.0.0.1'), plain, `IPv4, ${word}`)
    t.end()
  },
)

t.test('an existing sysctl is lowered, and only where that makes the check faster', (t) => {
  const delay = { path: DELAY, value: 0, most: true }
  const probes = { path: PROBES, value: 3, unless: 0 }
  const retrans = { path: RETRANS, value: 100, most: true }
  t.equal(wishDue(delay, 1), true)
  t.equal(wishDue(delay, 0), false)
  t.equal(wishDue(probes, 1), true)
  t.equal(wishDue(probes, 3), false)
  t.equal(wishDue(probes, 5), true)
  t.equal(wishDue(probes, 0), false, 'the admin wants no check')
  t.equal(wishDue(retrans, 1000), true)
  t.equal(wishDue(retrans, 104), false, 'the kernel rounds the value up to its tick')
  t.equal(wishDue(retrans, 40), false, 'the value is faster already')
  t.end()
})

t.test('a value counts as ours while the value equals our change, apart from the tick of the clock', (t) => {
  t.equal(isStill({ path: RETRANS, value: 253 }, 256), true)
  t.equal(isStill({ path: RETRANS, value: 253 }, 263), false)
  t.equal(isStill({ path: RETRANS, value: 100 }, 96), false)
  t.equal(isStill({ path: PROBES, value: 3 }, 4), false)
  t.end()
})

t.test('another setting lowers it further', (t) => {
  const record = [{ path: RETRANS, original: 1000, value: 100 }]
  const again = (original: number) => merged(record, [{ path: RETRANS, original, value: 50 }])
  t.same(
    again(100),
    [{ path: RETRANS, original: 1000, value: 50 }],
    'another setting lowered the value further',
  )
  t.same(again(500), [{ path: RETRANS, original: 500, value: 50 }], 'the admin has changed the value since')
  const other = { path: PROBES, original: 1, value: 3 }
  t.same(merged(record, [other]), [...record, other])
  t.same(merged(record, []), record)
  t.end()
})

t.test('the record is read as written; a malformed line is skipped', (t) => {
  const record = [
    { path: RETRANS, original: 1000, value: 100 },
    { path: PROBES, original: 1, value: 3 },
  ]
  t.same(parseKept(keptText(record)), record)
  const lvs = [{ path: '/proc/sys/net/ipv4/conf/all/arp_ignore', original: 0, value: 3 }]
  t.equal(keptText(lvs), '/proc/sys/net/ipv4/conf/all/arp_ignore 0 3\n', 'as version 0.1.0 wrote the record')
  t.same(parseKept(keptText(lvs)), lvs)
  for (const bad of [
    '',
    'x',
    `${RETRANS} 1000`,
    '/etc/passwd 1 2',
    '/proc/sys/net/ipv6/../../kernel/x 1 2',
    `${RETRANS} 1 2 3`,
  ])
    t.same(parseKept(`${bad}\n`), [], bad)
  t.end()
})

t.test('after the event: wait during the check, give up a duplicate, announce, and stop', (t) => {
  t.equal(nextFor('optimistic', 3), 'wait')
  t.equal(nextFor('tentative', 3), 'wait')
  t.equal(nextFor('optimistic', 0), 'wait', 'an address without announcements is watched too')
  t.equal(nextFor('duplicate', 3), 'give up')
  t.equal(nextFor('duplicate', 0), 'give up')
  t.equal(nextFor('ready', 1), 'announce')
  t.equal(nextFor('ready', 0), 'stop')
  t.equal(nextFor('absent', 3), 'stop', 'another node may have the address by now')
  t.end()
})

t.test('the check of an optimistic address is over when the kernel and our own question are', (t) => {
  const ended = Promise.resolve()
  t.equal(together('ready', undefined), 'ready')
  t.equal(together('ready', { isOpen: true, ended }), 'optimistic')
  t.equal(together('ready', { isOpen: false, ended }), 'ready')
  t.equal(together('tentative', { isOpen: false, ended }), 'tentative')
  t.equal(together('duplicate', { isOpen: true, ended }), 'duplicate')
  t.equal(together('ready', { isOpen: false, ended, rival: '02:00:00:00:00:01' }), 'duplicate')
  t.equal(together('absent', { isOpen: false, ended, rival: '02:00:00:00:00:01' }), 'absent')
  t.end()
})
