/** A second interface of this node on the same network answers ARP for all addresses of this node, and before other hosts. */
import { inLab, prepareFile } from '../../lab/in-lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { waitFor } from '../../lab/wait-for.ts'
import { parkedLines, rivalWith, WAYS, withoutPerl } from './conflict-lab.ts'

const PARK = 'EVENTSCRIPT_DAD_CONFLICT=park\nEVENTSCRIPT_IPV4_DAD=yes\n'
const DAEMON = WAYS[1] as (typeof WAYS)[number]
const ADDRESS = ['10.0.0.1', '24'] as const

/** Answers ARP requests of others for 10.0.0.1 (0a000001), 50 ms late, by a packet socket on the first interface behind lo. */
const SLOW = `
  socket my $wire, 17, 3, 0x0608 or die $!;
  ioctl $wire, 0x8927, my $request = pack 'a16x24', 'eth0' or die $!;
  ioctl $wire, 0x8933, my $place = pack 'a16x24', 'eth0' or die $!;
  my ($mac, $index) = (substr($request, 18, 6), unpack 'x16i', $place);
  bind $wire, pack 'SniSCCa8', 17, 0x0806, $index, 0, 0, 0, '' or die $!;
  $| = 1; print "ready\\n"; alarm 300;
  while (defined recv $wire, my $frame, 2048, 0) {
    next if unpack('x20n', $frame) != 1 || unpack('x38H8', $frame) ne '0a000001' || substr($frame, 6, 6) eq $mac;
    select undef, undef, undef, 0.05;
    my ($from, $ip) = (substr($frame, 22, 6), substr $frame, 28, 4);
    send $wire, $from . $mac . pack('H*', '08060001080006040002') . $mac . pack('H8', '0a000001') . $from . $ip, 0;
  }`

/** A host that has the address, and answers later than this node itself. */
async function slowRival(lab: Lab): Promise<string> {
  const { host, mac } = await rivalWith(lab, ...ADDRESS)
  await host.must('ip', 'link', 'set', 'eth0', 'arp', 'off')
  await host.must('ip', 'addr', 'flush', 'dev', 'eth0')
  const { text } = host.listen('perl', '-e', SLOW)
  await waitFor('the rival', () => text().includes('ready'))
  return mac
}

/** Takes the address while nobody can be asked, so that it is on the wire and asked for; then the link hears again. */
async function takenInDoubt(lab: Lab) {
  await lab.node.calm()
  const runner = await DAEMON.start(lab, PARK)
  await lab.node.must('ip', 'link', 'set', 'eth0', 'arp', 'off')
  await runner.run('takeip', 'eth0', ...ADDRESS)
  await lab.node.must('ip', 'link', 'set', 'eth0', 'arp', 'on')
  return runner
}

const nothing = await prepareFile()
if (!nothing) {
  inLab('it hides no other host that has the address', { needs: ['arping', 'perl'] }, async (t, lab) => {
    const mac = await slowRival(lab)
    const runner = await takenInDoubt(lab)
    await waitFor('it to be parked', () => parkedLines(lab).some((line) => line.startsWith('10.0.0.1 ')))
    await waitFor('it to be on lo', async () => (await lab.node.places('10.0.0.1')).join() === 'lo/32')
    t.match(
      runner.log(),
      `WARNING: 10.0.0.1 is on eth0, and another host has it, which did not answer before: ${mac}`,
    )
    const { ok, said } = await runner.run('takeip', 'eth0', ...ADDRESS)
    t.ok(ok)
    t.match(said, [new RegExp(`^WARNING: 10.0.0.1/24 is parked on lo: .*: ${mac} on eth0`)])
    t.same(await lab.node.places('10.0.0.1'), ['lo/32'])
  })

  inLab('it is no other host', { needs: ['arping', 'perl'] }, async (t, lab) => {
    const runner = await takenInDoubt(lab)
    await waitFor('the last look', () => parkedLines(lab).length === 0)
    t.same(await lab.node.places('10.0.0.1'), ['eth0/24'])
    t.notMatch(runner.log(), 'another host has it')
  })

  inLab(
    'without perl it keeps the others from being heard',
    { needs: ['arping', 'perl'] },
    async (t, lab) => {
      await withoutPerl(lab)
      const runner = await takenInDoubt(lab)
      const reason =
        'whether another host has 10.0.0.1 cannot be asked: eth1 of this node is on the same network and answers first'
      await waitFor('the reason', () => runner.log().includes(reason))
      t.same(parkedLines(lab), ['watch 10.0.0.1 24 eth0'])
    },
  )
}
