/**
 * keepalived, from the moment that it declares itself master: its first VRRP packet on the wire, sent just before
 * keepalived adds the addresses. keepalived adds IPv6 addresses without duplicate detection, and here announces with
 * its default configuration.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { BITS, type Family } from './addresses.ts'
import { now, within } from './clock.ts'
import { KEEPALIVED, type BulkContestant, type Outcome } from './contestants.ts'
import { heard } from './daemons.ts'
import type { PresentWatch } from './present.ts'
import type { WireWatch } from './wire.ts'

/** Priority 255 is the owner of the addresses. The owner waits for no other router. */
function configuration(family: Family, addresses: readonly string[]): string {
  const lines = addresses.map((address) => `    ${address}/${BITS[family]} dev eth0`)
  // A VRRP packet has room for 20 addresses. The first IPv6 address must be link-local.
  const first = family === 'IPv6' ? '    fe80::b/64 dev eth0' : lines.shift()
  return `global_defs {
  router_id bench
}
vrrp_instance bench {
  state MASTER
  interface eth0
  virtual_router_id 51
  priority 255
  advert_int 1
  virtual_ipaddress {
${first}
  }
  virtual_ipaddress_excluded {
${lines.join('\n')}
  }
}
`
}

export function whyNoKeepalived(): string | undefined {
  const here = (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => isProgram(join(folder, KEEPALIVED)))
  return here ? undefined : 'keepalived is left out: it is in the package keepalived'
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export function keepalived(present: PresentWatch, wire: WireWatch): BulkContestant {
  return {
    name: KEEPALIVED,
    tidies: true,
    most: ({ event }) => (event === 'takeip' ? 1000 : undefined),
    burst: ({ family }, addresses) => burst(present, wire, family, addresses),
  }
}

async function burst(
  present: PresentWatch,
  wire: WireWatch,
  family: Family,
  addresses: readonly string[],
): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-keepalived-'))
  const file = (name: string) => join(dir, name)
  writeFileSync(file('conf'), configuration(family, addresses), { mode: 0o600 })
  const pids = ['-p', file('pid'), '-r', file('vrrp.pid'), '-c', file('checkers.pid')]
  const child = spawn(KEEPALIVED, ['-n', '-l', '-P', '-f', file('conf'), ...pids], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (said += data.toString()))
  const ended = once(child, 'exit')
  try {
    if (!(await within(20_000, () => wire.mastered !== undefined)))
      throw new Error(`keepalived did not become master: ${said}`)
    const began = wire.mastered ?? now()
    const last = await present.all(addresses, 10_000)
    if (last === undefined) throw new Error(`keepalived has not added all addresses: ${said}`)
    return {
      ms: Math.max(0, last - began),
      ok: addresses.length,
      failed: 0,
      timedOut: 0,
      unanswered: 0,
      ...(await heard(wire, began, addresses)),
    }
  } finally {
    child.kill('SIGTERM')
    await ended
    rmSync(dir, { recursive: true })
  }
}
