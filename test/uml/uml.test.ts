/**
 * The tests on the kernel once more, on a kernel that has what the one here may lack: bonds, VLANs, IPVS. Their results
 * are this file's: each runs in user-mode Linux, and its TAP is read here.
 */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from '../tap.ts'
import { DIST } from '../lab/paths.ts'
import { bootUml, left, whyNoUml } from './uml.ts'

/**
 * Those that say most on another kernel: node takes a second to start in there. KERNEL_TESTS names others; `lvs-cluster`,
 * with three real ctdbd, takes twenty minutes.
 */
const FILES = process.env['KERNEL_TESTS']?.split(' ') ?? ['monitor', 'lvs', 'routing']
/** The compiled file of a test by its name alone. */
function fileOf(name: string): string {
  for (const folder of ['dist/test/kernel', 'dist/test/cluster']) {
    const found = readdirSync(join(DIST, '..', folder), { recursive: true, encoding: 'utf8' })
    const path = found.find((each) => basename(each) === `${name}.test.js`)
    if (path !== undefined) return join(folder, path)
  }
  throw new Error(`KERNEL_TESTS names "${name}": no file ${name}.test.ts in test/kernel or test/cluster`)
}

/** All of it takes a quarter of that on an idle machine. */
const SECONDS = 3600

const why = whyNoUml()
if (why) t.plan(0, why)
else {
  t.setTimeout((SECONDS + 60) * 1000)
  const guest = await bootUml(FILES.map(fileOf), SECONDS)
  t.teardown(() => guest.close())
  t.ok(guest.finished, `the guest has run all files within ${SECONDS} s`, { console: guest.console })
  for (const name of FILES) {
    const status = left(guest, `${name}.status`).trim() || '1'
    await t.spawn(
      'sh',
      [
        '-c',
        'cat "$1"; cat "$2" >&2; exit "$3"',
        'sh',
        join(guest.out, `${name}.tap`),
        join(guest.out, `${name}.err`),
        status,
      ],
      { name: `in user-mode Linux: ${name}` },
    )
  }
}
