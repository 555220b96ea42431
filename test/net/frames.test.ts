import t from '../tap.ts'
import { byReason } from '../../runner/net/announce/unannounced.ts'
import { failureOf } from '../../runner/resident/programs/send-by-programs.ts'
import { announcementFrames } from '../../runner/net/announce/frames.ts'

t.test('IPv4: our frames equal the frames that arping -U and arping -A of iputils 20221126 sent', (t) => {
  t.same(announcementFrames('10.9.0.1', '26:11:67:8a:b9:53'), [
    'ffffffffffff2611678ab953080600010800060400012611678ab9530a090001ffffffffffff0a090001',
    'ffffffffffff2611678ab953080600010800060400022611678ab9530a0900012611678ab9530a090001',
  ])
  t.end()
})

t.test('IPv6: our frames are those of ndptool, sent from the address itself', (t) => {
  const [frame = '', ...more] = announcementFrames('fd00::5', '26:11:67:8a:b9:53')
  t.same(more, [])
  const source = 'fd000000000000000000000000000005'
  t.equal(frame.slice(0, 44), '3333000000012611678ab95386dd6000000000203aff')
  t.equal(frame.slice(44, 76), source)
  t.equal(frame.slice(76, 108), 'ff020000000000000000000000000001')
  t.equal(frame.slice(108, 112), '8800')
  t.equal(frame.slice(116), `20000000${source}02012611678ab953`)
  t.equal(frame.slice(112, 116), checksumOf(frame), 'the checksum is right')
  t.end()
})

t.test('checksums are right for a sum that carries twice, and for a long address', (t) => {
  for (const address of ['fd00::ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe', 'fd00::']) {
    const [frame = ''] = announcementFrames(address, 'ff:ff:ff:ff:ff:fe')
    t.equal(frame.slice(112, 116), checksumOf(frame), address)
  }
  t.end()
})

/** The method differs from the program's: the remainder by 65535 of all covered bytes, as a single number. */
function checksumOf(frame: string): string {
  const pseudo = `${frame.slice(44, 108)}000000200000003a`
  const covered = `${pseudo}${frame.slice(108, 112)}0000${frame.slice(116)}`
  const remainder = BigInt(`0x${covered}`) % 65535n
  return (65535n - remainder).toString(16).padStart(4, '0')
}

t.test('what was not announced is named by its addresses, a line for each reason', (t) => {
  const on = (address: string, reason: string) => ({ address, iface: 'eth0', reason })
  const many = [1, 2, 3, 4, 5].map((i) => on(`10.0.0.${i}`, 'no buffer'))
  t.same(byReason([]), [])
  t.same(byReason([...many, on('fd00::1', 'no such device'), on('10.0.0.1', 'no buffer')]), [
    '10.0.0.1 on eth0, 10.0.0.2 on eth0, 10.0.0.3 on eth0 and 2 more: no buffer',
    'fd00::1 on eth0: no such device',
  ])
  t.end()
})

t.test('of programs that were started together, those that failed are named in one line', (t) => {
  const failed = (address: string, program: string, status = 2) => ({
    address,
    iface: 'eth0',
    argv: [program, address],
    status,
  })
  const arping = failed('10.0.0.1', 'arping')
  const ndsend = failed('fd00::1', 'ndsend')
  t.equal(failureOf({ failed: [], errors: '' }), undefined)
  t.equal(failureOf({ failed: [arping], errors: '' }), undefined, 'nobody has answered it')
  t.equal(
    failureOf({ failed: [arping, ndsend], errors: '' }),
    'announcement failed: fd00::1 on eth0: ndsend: exit status 2',
  )
  t.equal(
    failureOf({ failed: [arping, ndsend], errors: 'arping: no\nndsend: no\n' }),
    'announcement failed: 10.0.0.1 on eth0, fd00::1 on eth0: arping: no, and 1 lines more',
  )
  t.equal(failureOf({ failed: [], errors: 'odd\n' }), 'announcement failed: odd')
  t.equal(
    failureOf({ failed: [ndsend], errors: 'bind: Cannot assign requested address\n' }),
    undefined,
    'the address has left',
  )
  t.end()
})
