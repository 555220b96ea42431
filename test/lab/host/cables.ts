/** The wire of a lab: the observer's bridge `lan`, and cables from the hosts to its ports. */
import type { Host } from './host.ts'

export async function wire(node: Host, observer: Host): Promise<void> {
  await observer.must('ip', 'link', 'add', 'lan', 'type', 'bridge')
  await observer.must('ip', 'link', 'set', 'lan', 'up')
  await observer.must('ip', 'link', 'set', 'lo', 'up')
  await node.must('ip', 'link', 'set', 'lo', 'up')
  for (const name of ['eth0', 'eth1']) await plug(node, name, observer, `port-${name}`)
  await observer.must('ip', 'addr', 'add', '10.0.0.254/24', 'dev', 'lan')
  await observer.must('ip', 'addr', 'add', 'fd00::fe/64', 'dev', 'lan', 'nodad')
}

/** A cable from that host's new interface to a port of the observer's bridge. */
export async function plug(from: Host, iface: string, observer: Host, port: string): Promise<void> {
  const end = ['peer', 'name', port, 'netns', String(observer.pid)]
  await from.must('ip', 'link', 'add', iface, 'type', 'veth', ...end)
  await observer.must('ip', 'link', 'set', port, 'master', 'lan', 'up')
  await from.must('ip', 'link', 'set', iface, 'up')
}
