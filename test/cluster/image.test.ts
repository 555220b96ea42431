/**
 * packaging/Containerfile: its steps, run in a chroot of a Debian release, then what sambacc does at each start, then the
 * event. The chroot stays as it is: what is written goes to a file system above it, which ends with the test.
 */
import { readFileSync } from 'node:fs'
import { execa, execaSync } from 'execa'
import t from '../tap.ts'
import { RELEASE_ROOT, rootOf } from '../lab/ctdb/root.ts'
import { programPath } from '../lab/needs.ts'

const SUITE = 'sid'

const why = () =>
  ['unshare', 'chroot', 'setpriv'].find((program) => !programPath(program)) ??
  (execaSync(RELEASE_ROOT, ['--why']).stdout || undefined)

/** A line for each step, as a shell in the build context does it with $root for the image. */
function stepsOf(containerfile: string): string[] {
  const whole = containerfile.replaceAll(/^#.*\n/gm, '').replaceAll('\\\n', ' ')
  return whole.split('\n').flatMap((line) => {
    const [verb, ...words] = line.split(' ')
    const to = words.at(-1) ?? ''
    switch (verb) {
      case 'COPY':
        return `mkdir -p "$root${to}" && cp ${words.slice(0, -1).join(' ')} "$root${to}"`
      case 'RUN':
        return `chroot "$root" sh -c '${words.join(' ')}'`
      case '':
      case 'ARG':
      case 'FROM':
        return []
      default:
        throw new Error(`Containerfile: ${line}: this test does not know ${verb}`)
    }
  })
}

/** Above the chroot; the network is its own, two ends of a cable. */
const STAGE = `set -eu
over=$(mktemp -d) && mount -t tmpfs tmpfs "$over" && mkdir "$over/new" "$over/work" "$over/root"
root=$over/root
mount -t overlay overlay -o "lowerdir=$1,upperdir=$over/new,workdir=$over/work" "$root"
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev"
`

/** sambacc's at each start; then a container of podman's, with what CTDB needs. */
const START = `
link=/etc/ctdb/events/legacy/10.interface.script
rm -f "$root$link" && ln -s /usr/share/ctdb/events/legacy/10.interface.script "$root$link"
echo 10.0.0.1/24 eth0 >"$root/etc/ctdb/public_addresses"
cat >"$root/look" <<'LOOK'
ip link add eth0 type veth peer name other && ip link set lo up && ip link set eth0 up && ip link set other up
perl -e 'alarm 20; socket(S, 17, 3, 0x0608) or die; recv(S, $_, 99, 0); print "heard ", unpack("x28H8", $_), "\\n"' &
sleep 1
/etc/ctdb/events/legacy/10.interface.script takeip eth0 10.0.0.1 24 && echo taken
ip -br addr show to 10.0.0.1
wait
LOOK
mount --rbind "$root/proc/sys" "$root/proc/sys" && mount -o remount,bind,ro "$root/proc/sys"
unshare -n setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+net_raw,+dac_override,+sys_chroot chroot "$root" sh /look
cmp "$root/usr/share/ctdb/events/legacy/10.interface.script.stock" "$1/usr/share/ctdb/events/legacy/10.interface.script"
`

const skip = why()
t.test('the steps of packaging/Containerfile make an image that lasts', skip ? { skip } : {}, async (t) => {
  const had = await rootOf(SUITE)
  if ('why' in had) return t.plan(0, had.why)
  const steps = stepsOf(readFileSync('packaging/Containerfile', 'utf8'))
  // twice: an image may be built on one that has it
  const script = [STAGE, ...steps, ...steps, START].join('\n')
  // tap's own hooks are not to be found in there
  const words = ['-u', 'NODE_OPTIONS', 'unshare', '-m', 'bash', '-c', script, 'image', had.root]
  const { stdout, stderr, exitCode } = await execa('env', words, { reject: false })
  t.equal(exitCode, 0, stderr)
  t.match(stdout, /^taken\neth0@other +UP +10\.0\.0\.1\/24 *\n/m)
  t.match(stdout, /^heard 0a000001$/m, 'and announced')
  t.notMatch(stdout + stderr, /WARNING/)
})
