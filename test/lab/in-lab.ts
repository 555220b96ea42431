/** What a file of tests on the real kernel begins with, and a test with a lab of its own. */
import t, { type Test } from '../tap.ts'
import { Lab } from './lab.ts'
import { whyMissing, whyNoLab } from './needs.ts'
import { endProcesses } from './processes.ts'

/**
 * What every file begins with. The tests of a file run some at a time: most of their time the kernel lets them wait.
 * Gives back why the file can do nothing on this machine.
 */
export async function prepareFile(): Promise<string | undefined> {
  const reason = await whyNoLab()
  if (reason) t.plan(0, reason)
  t.setTimeout(Number(process.env['LAB_SECONDS'] ?? 600) * 1000)
  t.jobs = Number(process.env['LAB_JOBS'] ?? 4)
  return reason
}

export interface Needs {
  /** Programs without which the test is skipped. */
  needs?: readonly string[]
  /** The kernel's own times for the duplicate check, up to 2 s; else 0.1 s. */
  slowDad?: boolean
  /** In namespaces of the machine's own root, for what the kernel keeps to it. */
  asRoot?: boolean
  /** Any other reason not to run it here. */
  skip?: string
}

/** One test with a lab of its own. */
export function inLab(name: string, options: Needs, body: (t: Test, lab: Lab) => Promise<void>): void {
  const skip = options.skip ?? whyMissing(options.needs ?? [])
  void t.test(name, { buffered: true, ...(skip ? { skip } : {}) }, async (test) => {
    const lab = await Lab.start({ asRoot: options.asRoot })
    try {
      if (!options.slowDad) await shortenDad(lab)
      await body(test, lab)
    } finally {
      endProcesses(lab.dir)
      await lab.close()
    }
  })
}

async function shortenDad({ node }: Lab): Promise<void> {
  for (const iface of ['eth0', 'eth1']) {
    await node.writeSysctl(`net/ipv6/conf/${iface}/router_solicitation_delay`, 0)
    await node.writeSysctl(`net/ipv6/neigh/${iface}/retrans_time_ms`, 100)
  }
}
