/**
 * Messages name the remedy by distribution, user and capability. A recording gives the same remedy on every machine.
 */
import t from '../tap.ts'
import { factsFromText } from '../../runner/node/facts.ts'
import { ARPINGS, arpingQuestion, arpingRound, whichArping } from '../../runner/net/arping.ts'
import { busyBoxIn } from '../../runner/machine/remedy/busybox.ts'
import { lackingHere } from '../../runner/machine/remedy/capabilities.ts'
import { CannotRun, FileError } from '../../runner/machine/errors.ts'
import { distributionIn } from '../../runner/machine/remedy/packages.ts'
import { ANYBODY, packageOf, readerAsText, speakTo, toBeAllowed } from '../../runner/machine/remedy/remedy.ts'
import { why } from '../../runner/net/answer.ts'

t.afterEach(() => speakTo(ANYBODY))

t.test('the distribution is the name in os-release, or the similar distribution named there', (t) => {
  const all: [string, string][] = [
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', 'debian'],
    ['ID=ubuntu\nID_LIKE=debian\n', 'debian'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'debian'],
    ['ID=fedora\nVARIANT_ID=container\n', 'fedora'],
    ['ID="rhel"\nID_LIKE="fedora"\n', 'fedora'],
    ['ID="centos"\nID_LIKE="rhel fedora"\n', 'fedora'],
    ["ID='rocky'\nID_LIKE='rhel centos fedora'\n", 'fedora'],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'suse'],
    ['ID="sles"\nID_LIKE="suse"\n', 'suse'],
    ['ID="sl-micro"\nID_LIKE="suse"\n', 'suse'],
    ['NAME="Alpine Linux"\nID=alpine\n', 'alpine'],
    ['ID=of-tomorrow\n', 'debian'],
    ['', 'debian'],
  ]
  for (const [text, distribution] of all) t.equal(distributionIn(text), distribution, text)
  t.end()
})

t.test('packages are named by distribution', (t) => {
  const arping = { debian: 'iputils-arping', fedora: 'iputils', suse: 'iputils', alpine: 'iputils-arping' }
  for (const [distribution, name] of Object.entries(arping)) {
    speakTo({ ...ANYBODY, distribution: distribution as 'debian' })
    t.equal(packageOf('arping'), `install ${name}`)
    t.equal(packageOf('nosuch'), undefined)
    t.match(new CannotRun('arping', 'ENOENT').message, `arping: not found in PATH: install ${name}`)
  }
  t.end()
})

/** /proc/self/status of root, of podman's root with NET_ADMIN and without NET_RAW, and of a user. */
const STATUS = {
  root: 'CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n',
  podman: 'CapEff:\t00000000800415fb\nCapBnd:\t00000000800415fb\n',
  user: 'CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n',
}

t.test('a capability that programs can get back is not missing', (t) => {
  t.same(lackingHere(STATUS.root), [])
  t.same(lackingHere(STATUS.podman), ['CAP_NET_RAW'])
  t.same(
    lackingHere(STATUS.user),
    ['CAP_DAC_OVERRIDE', 'CAP_NET_ADMIN'],
    'arping has CAP_NET_RAW by its file',
  )
  t.end()
})

t.test('root reads which capability is missing, and never reads an advice to become root', (t) => {
  const refused = { status: 2, out: '', err: 'RTNETLINK answers: Operation not permitted\n' }
  t.equal(why(refused), 'RTNETLINK answers: Operation not permitted: run as root')
  t.equal(new FileError('write', '/x', 'EACCES').message, 'cannot write /x: permission denied: run as root')
  speakTo({ ...ANYBODY, isRoot: true, lacks: ['CAP_NET_ADMIN', 'CAP_DAC_OVERRIDE'] })
  const add = (name: string) => `root lacks CAP_${name}: start the container with --cap-add ${name}`
  t.equal(why(refused), `RTNETLINK answers: Operation not permitted: ${add('NET_ADMIN')}`)
  t.equal(
    new FileError('write', '/x', 'EACCES').message,
    `cannot write /x: permission denied: ${add('DAC_OVERRIDE')}`,
  )
  t.match(
    toBeAllowed('CAP_NET_RAW'),
    /^root has CAP_NET_RAW: SELinux, AppArmor or a user namespace forbids it/,
  )
  t.equal(new FileError('write', '/x', 'EROFS').message, 'cannot write /x: the file system is read-only')
  t.end()
})

t.test('a recording keeps its reader; a recording of an older version has any reader', (t) => {
  const reader = { isRoot: true, lacks: ['CAP_NET_RAW'], distribution: 'suse' } as const
  t.same(factsFromText({}, readerAsText(reader)).reader, reader)
  t.same(factsFromText({}, { privileged: 'yes' }).reader, ANYBODY)
  t.end()
})

/** The first lines that each program prints for `arping -V`. */
const SEEN = {
  iputils: 'arping from iputils 20221126\nlibcap: yes, IDN: yes, NLS: no\n',
  busybox:
    "arping: invalid option -- 'V'\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.\n\nUsage: arping [-fqbDUA]\n",
  habets:
    "arping: option requires an argument -- 'V'\nARPing 2.23, by Thomas Habets <thomas@habets.se>\nusage: arping\n",
}

t.test('the arping in use is recognised, with its options', (t) => {
  for (const kind of Object.keys(ARPINGS) as (keyof typeof ARPINGS)[]) t.equal(whichArping(SEEN[kind]), kind)
  const round = (text: string) => arpingRound(text, '10.0.0.1', 'eth0').map((argv) => argv.join(' '))
  t.same(round(SEEN.busybox), [
    'arping -U -q -c 1 -w 1 -I eth0 10.0.0.1',
    'arping -A -q -c 1 -w 1 -I eth0 10.0.0.1',
  ])
  t.same(
    arpingQuestion(SEEN.busybox, '10.0.0.1', 'eth0', 2).join(' '),
    'arping -D -c 2 -w 2 -I eth0 10.0.0.1',
  )
  t.throws(() => round('arping of tomorrow\n'), {
    name: 'Refusal',
    message:
      'arping: "arping -V" printed "arping of tomorrow": expected iputils\', BusyBox\'s or Thomas Habets\': install iputils-arping',
  })
  t.end()
})

t.test("BusyBox's usage is left out of messages", (t) => {
  t.equal(busyBoxIn(SEEN.busybox), 'BusyBox v1.35.0')
  t.equal(busyBoxIn(SEEN.iputils), undefined)
  t.equal(why({ status: 1, out: '', err: SEEN.busybox }), "arping: invalid option -- 'V'; BusyBox v1.35.0")
  t.end()
})
