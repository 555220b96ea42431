/** What every parser keeps: it answers or refuses, in a time that grows with its text and not with the square of that. */
import * as fc from 'fast-check'
import { isRefusal, PARSERS } from './parsers.ts'

/** Words and signs of all the formats, so that random texts come near to good ones. */
const TOKENS = [
  '"ifalias":"',
  ' --comment "',
  ...Array.from(' \t\n\r\v\f\0\u00a0\ufeff\u2028#;/\\,.:|=[]{}()"\'`$%@!-+~*0x'),
  '10.0.0.1',
  'fd00::1',
  '::ffff:10.0.0.1',
  '/24',
  '/64',
  'eth0',
  'eth0,eth1',
  'follower-only',
  'via',
  'dev',
  '[cluster]',
  'nodes list',
  'takeip',
  'EVENTSCRIPT_DAD',
  'export ',
  'park',
  '|Node|',
  '|0|',
  '-A INPUT -d ',
  '10.0.0.1/32 -i eth0 -j DROP',
  'tcp ESTAB 0 0 ',
  '[{"ifname":"eth0","addr_info":[',
  '"local":"10.0.0.1"',
  '}]}]',
  'MII Status: up',
  'Slave Interface: ',
  'Command failed -:1',
  'BusyBox v1.36',
  'eventscript recording 1\nevent init\n',
  'handler 10.interface\n',
  'ask ip\n',
  '  out ',
  '  exit 0\n',
  '255.255.255.0',
  '4294967296',
  'default',
  'ExecStart=',
  '[Service]\n',
  '02:00:00:00:00:01',
  'é',
  '\ud800',
  '-1',
  '00',
  'ff02::1',
  '1e9',
  '0x10',
  'true',
  'null',
]

const token = fc.oneof(fc.constantFrom(...TOKENS), fc.string({ unit: 'binary', maxLength: 6 }))

/** Texts of such tokens, some of them many times. */
const text = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: token },
      { weight: 1, arbitrary: fc.tuple(token, fc.nat(300)).map(([each, times]) => each.repeat(times)) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''))

/** Lets random texts loose on one parser. Throws with the text, shortened, and the seed that finds it again. */
export function answersOrRefuses(name: string, how: fc.Parameters<[string]>): void {
  fc.assert(
    fc.property(text, (each) => {
      parseOrRefuse(name, each)
    }),
    how,
  )
}

function parseOrRefuse(name: string, each: string): void {
  try {
    PARSERS[name]?.(each)
  } catch (error) {
    if (!isRefusal(error)) throw error
  }
}

/** Characters: at a square of this, a regular expression takes minutes. */
const LONG = 200_000

/** Beginnings after which a run of one token, and then something else, made a regular expression go back and forth. */
const HEADS = ['', '10.0.0.1/24 eth0', 'EVENTSCRIPT_DAD=park']

/** What formats repeat, and expressions look for at an end. */
const RUNS = ' \t\n\r\f\u00a0#/\\,.:|=["\'@0'

/** The slowest of long runs of one token: milliseconds, and the run. */
export function slowest(name: string): { ms: number; run: string } {
  let worst = { ms: 0, run: '' }
  for (const head of HEADS)
    for (const each of RUNS) {
      const began = performance.now()
      parseOrRefuse(name, `${head}${each.repeat(LONG)}x`)
      const ms = performance.now() - began
      if (ms > worst.ms)
        worst = { ms, run: `${JSON.stringify(head)} and ${LONG} times ${JSON.stringify(each)}` }
    }
  return worst
}
