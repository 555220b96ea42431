/** The demo's story: the life of a few public addresses on one node, seen from it and from the host beside it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Lab } from '../lab/lab.ts'
import { Scene } from './scene.ts'

/** The MAC of the node that had the addresses before: nobody answers there. */
const DEAD_MAC = '02:00:00:00:00:99'

export const INTRODUCTION =
  'Two hosts on one wire, in network namespaces of their own: "node" runs the event script, "client" is the host ' +
  'beside it. Nothing of this machine is touched. The ctdb tool is a stand-in that writes down what it is told.'

/** Plays it and gives back the failures; `show` is told of each scene in its turn. */
export async function story(show: (scene: Promise<Scene>) => Promise<Scene>): Promise<string[]> {
  const lab = await Lab.start()
  try {
    await prepare(lab)
    const mac = await lab.node.macOf('eth0')
    const four = await takeFour(lab)
    // duplicate detection takes the kernel a second or two: the three slow waits run side by side
    const announced = untilClientKnows(four, lab, '10.0.0.1', mac)
    const six = takeSix(lab, mac)
    const twice = duplicate(lab)
    const scenes = [await show(announced), await show(six)]
    for (const scene of [monitor, release]) scenes.push(await show(scene(lab)))
    scenes.push(await show(twice))
    return scenes.flatMap(({ failures }) => failures)
  } finally {
    await lab.close()
  }
}

async function prepare(lab: Lab): Promise<void> {
  lab.configure(
    'public_addresses',
    '10.0.0.1/24 eth0\nfd00::1/64 eth0\n10.0.0.2/24 eth0,eth1\nfd00::66/64 eth1\n',
  )
  await lab.observer.must('ip', 'addr', 'add', 'fd00::66/64', 'dev', 'lan', 'nodad')
  for (const address of ['10.0.0.1', 'fd00::1']) await remember(lab, address)
}

async function remember(lab: Lab, address: string): Promise<void> {
  const entry = [address, 'lladdr', DEAD_MAC, 'dev', 'lan', 'nud', 'stale']
  await lab.observer.must('ip', 'neigh', 'replace', ...entry)
}

async function takeFour(lab: Lab): Promise<Scene> {
  const scene = new Scene(
    lab,
    '1. takeip: an IPv4 address comes to this node',
    'The node that had it has died. The client still sends to the MAC of that one.',
  )
  await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', '10.0.0.1')
  await scene.look('client', 'ip', '-brief', 'neigh', 'show', 'to', '10.0.0.1')
  const { status } = await scene.event('takeip', 'eth0', '10.0.0.1', '24')
  const now = await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', '10.0.0.1')
  scene.expect('10.0.0.1/24 is on eth0', status === 0 && /^eth0\S* .*\b10\.0\.0\.1\/24/.test(now))
  return scene
}

async function takeSix(lab: Lab, mac: string): Promise<Scene> {
  const scene = new Scene(
    lab,
    '2. takeip: an IPv6 address comes to this node',
    'The same for IPv6. Here the kernel first asks the wire whether anybody else has the address, for a second or two; ' +
      'takeip ends when that ends.',
  )
  await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', 'fd00::1')
  await scene.look('client', 'ip', '-brief', 'neigh', 'show', 'to', 'fd00::1')
  const { status } = await scene.event('takeip', 'eth0', 'fd00::1', '64')
  const now = await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', 'fd00::1')
  scene.expect('fd00::1/64 is on eth0', status === 0 && /^eth0\S* .*\bfd00::1\/64/.test(now))
  const still = await lab.node.must('ip', 'addr', 'show', 'to', 'fd00::1', 'tentative')
  scene.expect('and it can be used: no longer tentative', still.trim() === '')
  return await untilClientKnows(scene, lab, 'fd00::1', mac)
}

/** Announcements go out three times, 1.1 s apart, in the background of the event. */
async function untilClientKnows(scene: Scene, lab: Lab, address: string, mac: string): Promise<Scene> {
  const began = performance.now()
  const knows = async () => (await lab.observer.must('ip', 'neigh', 'show', 'to', address)).includes(mac)
  let known = await knows()
  while (!known && performance.now() - began < 4000) {
    await sleep(50)
    known = await knows()
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  await scene.look('client', 'ip', '-brief', 'neigh', 'show', 'to', address)
  if (!known && address === '10.0.0.1' && (await lab.node.run('sh', '-c', 'command -v arping')).status !== 0)
    scene.remark('arping is not installed, so nothing tells the client: install iputils-arping')
  else scene.expect(`${seconds} s later the client sends to ${mac}, this node's eth0`, known)
  return scene
}

async function monitor(lab: Lab): Promise<Scene> {
  const scene = new Scene(
    lab,
    '3. monitor: the link is there, then it is lost',
    'Every 15 s CTDB asks whether this node can serve. Somebody pulls the cable of eth0.',
  )
  const before = lab.ctdbCalls().length
  await scene.look('node', 'ip', '-brief', 'link', 'show', 'dev', 'eth0')
  const good = await scene.event('monitor')
  await scene.happens('client', 'ip', 'link', 'set', 'port-eth0', 'down')
  await scene.look('node', 'ip', '-brief', 'link', 'show', 'dev', 'eth0')
  const bad = await scene.event('monitor')
  const told = lab.ctdbCalls().slice(before)
  const links = told.filter((call) => call.startsWith('setifacelink'))
  scene.told(links)
  scene.expect('with a link: healthy', good.status === 0)
  scene.expect(
    'without: unhealthy, and the daemon knows which interface',
    bad.status === 1 && links.includes('setifacelink eth0 down') && links.at(-1) === 'setifacelink eth1 up',
  )
  await lab.observer.must('ip', 'link', 'set', 'port-eth0', 'up')
  return scene
}

async function release(lab: Lab): Promise<Scene> {
  const scene = new Scene(
    lab,
    '4. releaseip: an address that is not where the daemon believes',
    'A colleague has put 10.0.0.2 on eth1 by hand, with mask 25. The daemon does not know where it is and says ' +
      '__none__. The kernel is asked.',
  )
  await scene.happens('node', 'ip', 'addr', 'add', '10.0.0.2/25', 'dev', 'eth1')
  await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', '10.0.0.2')
  const { status, out } = await scene.event('releaseip', '__none__', '10.0.0.2', '24')
  const now = await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', '10.0.0.2')
  scene.expect(
    'it is gone, and the log says where it was',
    status === 0 && now === '' && /eth1\/25/.test(out),
  )
  const others = await scene.look('node', 'ip', '-brief', 'addr', 'show', 'dev', 'eth0', 'scope', 'global')
  scene.expect('the other addresses stay', /10\.0\.0\.1\/24/.test(others) && /fd00::1\/64/.test(others))
  return scene
}

async function duplicate(lab: Lab): Promise<Scene> {
  const scene = new Scene(
    lab,
    '5. takeip: an address that another host has already',
    'fd00::66 is on the client. Two hosts with one address is what clients suffer from most. (This one ran beside ' +
      '2: both wait for the kernel.)',
  )
  await scene.look('client', 'ip', '-brief', 'addr', 'show', 'to', 'fd00::66')
  await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', 'fd00::66')
  const { status, err } = await scene.event('takeip', 'eth1', 'fd00::66', '64')
  const now = await scene.look('node', 'ip', '-brief', 'addr', 'show', 'to', 'fd00::66')
  scene.expect('the event fails and says why', status === 1 && /another host has this address/.test(err))
  scene.expect('the address is given up here, so only one host has it', now === '')
  return scene
}
