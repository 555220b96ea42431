import t from '../tap.ts'
import { announcementFrom, announcementWords, type Announcement } from '../../runner/machine/announcement.ts'

const WORDS: [string[], Announcement][] = [
  [['10.0.0.1', 'eth0'], { mode: 'usual', address: '10.0.0.1', iface: 'eth0' }],
  [['fd00::1', 'eth0', 'watch'], { mode: 'watch', address: 'fd00::1', iface: 'eth0' }],
  [['fd00::1', 'eth0', 'silent'], { mode: 'silent', address: 'fd00::1', iface: 'eth0' }],
  [['10.0.0.1', 'eth1', 'seized'], { mode: 'seized', address: '10.0.0.1', iface: 'eth1' }],
  [['10.0.0.1', 'eth0', 'on-lo'], { mode: 'on-lo', address: '10.0.0.1', iface: 'eth0' }],
  [
    ['10.0.0.1,10.0.0.2', 'eth0', 'again'],
    { mode: 'again', addresses: ['10.0.0.1', '10.0.0.2'], iface: 'eth0' },
  ],
  [['parked'], { mode: 'parked' }],
]

t.test('an announcement is a command that recordings hold, and is read back', (t) => {
  for (const [words, announcement] of WORDS) {
    t.same(announcementWords(announcement), words)
    t.same(announcementFrom(words), announcement)
  }
  t.same(announcementFrom(['FD00:0::1', 'eth0']), { mode: 'usual', address: 'fd00::1', iface: 'eth0' })
  t.end()
})

t.test('words of another form are no announcement', (t) => {
  for (const words of [
    [],
    ['10.0.0.1'],
    ['10.0.0', 'eth0'],
    ['10.0.0.1', ''],
    ['10.0.0.1', 'eth0', 'usual'],
    ['10.0.0.1,10.0.0.2', 'eth0'],
    ['rubbish', 'eth0', 'again'],
  ])
    t.equal(announcementFrom(words), undefined, words.join(' '))
  t.end()
})
