import t from '../tap.ts'
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
