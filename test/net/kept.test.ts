/** The store of sysctls that are kept and put back, with the records that version 0.1.0 has left on a node. */
import t from '../tap.ts'
import { FileError } from '../../runner/machine/errors.ts'
import type { Node } from '../../runner/node/node.ts'
import { keepOne, lvsRecord, note, putAllBack } from '../../runner/net/sysctl/kept.ts'

const ARP_IGNORE = '/proc/sys/net/ipv4/conf/all/arp_ignore'
const ARP_ANNOUNCE = '/proc/sys/net/ipv4/conf/all/arp_announce'
const RECORD = '/var/lib/ctdb/scripts/failover/lvs/sysctls'

/** A node that consists of these files. The files in `readOnly` cannot be written. */
function nodeWith(files: Record<string, string>, readOnly: readonly string[] = []) {
  const said: string[] = []
  const node = {
    settings: { vardir: '/var/lib/ctdb/scripts', keepdir: '/var/lib/ctdb/eventscript' },
    read: (path: string) => Promise.resolve(files[path]),
    write(path: string, text: string) {
      if (readOnly.includes(path)) return Promise.reject(new FileError('write', path, 'EROFS'))
      files[path] = text
      return Promise.resolve()
    },
    say: (line: string) => said.push(line),
    because: () => {},
  } as unknown as Node
  return { node, files, said }
}

t.test('a sysctl is recorded once with its original value, and is put back', async (t) => {
  const { node, files, said } = nodeWith({ [ARP_IGNORE]: '0\n', [ARP_ANNOUNCE]: '2\n' })
  t.equal(lvsRecord(node), RECORD)
  await keepOne(node, RECORD, ARP_IGNORE, 3)
  await keepOne(node, RECORD, ARP_ANNOUNCE, 2)
  t.equal(files[RECORD], `${ARP_IGNORE} 0 3\n`, 'a sysctl that has the value already is not recorded')
  t.equal(files[ARP_IGNORE], '3\n')
  await note(node, RECORD, { path: ARP_IGNORE, original: 1, value: 3 })
  t.equal(files[RECORD], `${ARP_IGNORE} 0 3\n`, 'the first original counts')
  await putAllBack(node, RECORD)
  t.same([files[ARP_IGNORE], files[RECORD], said], ['0\n', '', []])
})

t.test('a record of version 0.1.0 is put back; a value that somebody else set since stays', async (t) => {
  const { node, files, said } = nodeWith({
    [RECORD]: `${ARP_IGNORE} 0 3\n${ARP_ANNOUNCE} 0 2\nsomething else\n`,
    [ARP_IGNORE]: '3\n',
    [ARP_ANNOUNCE]: '1\n',
  })
  await putAllBack(node, RECORD)
  t.same([files[ARP_IGNORE], files[ARP_ANNOUNCE], files[RECORD], said], ['0\n', '1\n', '', []])
})

t.test('a sysctl that the kernel refuses to take back stays on record and is named', async (t) => {
  const record = `${ARP_IGNORE} 0 3\n${ARP_ANNOUNCE} 0 2\n`
  const { node, files, said } = nodeWith({ [RECORD]: record, [ARP_IGNORE]: '3\n', [ARP_ANNOUNCE]: '2\n' }, [
    ARP_IGNORE,
  ])
  await putAllBack(node, RECORD)
  t.same([files[ARP_ANNOUNCE], files[RECORD]], ['0\n', `${ARP_IGNORE} 0 3\n`])
  t.same(said, [`WARNING: cannot put ${ARP_IGNORE} back to 0`])
})
