/** CTDB's folders with its files and a built product of ours, for install and uninstall to work on. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Test } from '../../tap.ts'
import { DIST } from '../paths.ts'

/** No test looks into the machine's own database of packages. */
process.env['DPKG_ADMINDIR'] = '/nonexistent'

/** As the build writes them: what the handlers themselves declare. */
const DECLARATIONS = readFileSync(join(DIST, 'events.d/handlers.json'))

export interface World {
  dir: string
  env: Record<string, string>
  dist: string
  legacy: string
  lib: string
}

/** CTDB's folders as Debian has them, and a built product of ours, below a folder that root alone writes to. */
export function world(t: Test): World {
  const dir = mkdtempSync(join(tmpdir(), 'eventscript-install-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const [dist, legacy, lib] = [join(dir, 'dist'), join(dir, 'etc/events/legacy'), join(dir, 'lib')]
  for (const folder of [join(dist, 'events.d'), legacy, lib]) mkdirSync(folder, { recursive: true })
  for (const name of ['10.interface', '11.natgw', '13.per_ip_routing', '91.lvs'])
    script(join(dist, `events.d/${name}.script`), `echo ours ${name}`)
  writeFileSync(join(dist, 'events.d/handlers.json'), DECLARATIONS)
  script(join(dist, 'ctdb-eventd'), 'echo ours')
  for (const name of ['00.ctdb', '10.interface'])
    symlinkSync(`/usr/share/ctdb/events/legacy/${name}.script`, join(legacy, `${name}.script`))
  script(join(legacy, '11.natgw.script'), "echo the admin's own", 0o750)
  script(join(legacy, '13.per_ip_routing.script'), 'echo disabled', 0o644)
  script(join(legacy, '10.interface.options'), 'A=b', 0o644)
  script(join(lib, 'ctdb-eventd'), 'echo stock')
  fakeDpkg(dir)
  const env = {
    CTDB_BASE: join(dir, 'etc'),
    CTDB_HELPER_BINDIR: lib,
    CTDB_SCRIPT_VARDIR: join(dir, 'var/scripts'),
  }
  return { dir, env, dist, legacy, lib }
}

export function script(path: string, text: string, mode = 0o755): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, mode)
  utimesSync(path, 1e9, 1e9)
}

/** A database in which no package owns anything. */
function fakeDpkg(dir: string): void {
  for (const folder of ['info', 'updates']) mkdirSync(join(dir, 'dpkg', folder), { recursive: true })
  writeFileSync(join(dir, 'dpkg/status'), '')
  writeFileSync(join(dir, 'dpkg/info/format'), '1\n')
  process.env['DPKG_ADMINDIR'] = join(dir, 'dpkg')
}

/** Everything about CTDB's folders that uninstall has to put back. */
export function snapshot({ legacy, lib }: World): string[] {
  return [legacy, lib].flatMap((folder) =>
    readdirSync(folder)
      .toSorted()
      .map((name) => describe(join(folder, name))),
  )
}

function describe(path: string): string {
  const status = lstatSync(path)
  const { mode, uid, gid } = status
  const head = `${path} ${mode.toString(8)} ${uid}:${gid}`
  if (status.isSymbolicLink()) return `${head} -> ${readlinkSync(path)}`
  return `${head} ${status.mtimeMs} ${readFileSync(path, 'hex')}`
}

export const both = ({ env, dist }: World) => ({ env, dist })
export const link = (path: string) => (lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined)

/** Paste commands that a dry run has printed. */
export async function paste(lines: readonly string[]): Promise<void> {
  await execa('bash', ['-ec', lines.join('\n')])
}
