/** Files on a file system whose server can be stopped: whoever looks at one of them then waits for good. */
import { accessSync, constants, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execaSync } from 'execa'
import type { Lab } from './lab.ts'
import { PATH, whyMissing } from './needs.ts'
import { waitFor } from './wait-for.ts'

/** The kernel remembers nothing of this file system: each look asks its server. */
const NOTHING_CACHED = 'attr_timeout=0,entry_timeout=0,negative_timeout=0'

/** Why no such file system can be had on this machine; undefined when it can. */
export function whyNoHungFiles(): string | undefined {
  const missing = whyMissing(['bindfs', 'mount'])
  if (missing) return missing
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
  } catch {
    return '/dev/fuse is missing, or may not be opened'
  }
  const script = 'd=$(mktemp -d) && bindfs $d $d; s=$?; umount $d; rmdir $d; exit $s'
  const { failed, stderr } = execaSync('unshare', ['-Urm', 'sh', '-c', script], {
    reject: false,
    env: { PATH },
  })
  return failed ? `no FUSE in a namespace of this machine: ${stderr.trim()}` : undefined
}

/** A folder that bindfs serves to the node of a lab alone; it goes with the lab. */
export class HungFiles {
  readonly folder: string
  readonly #lab: Lab
  readonly #source: string
  /** Its pid, which is the same in the lab. */
  readonly server: number

  private constructor(lab: Lab, folder: string, source: string, server: number) {
    this.#lab = lab
    this.folder = folder
    this.#source = source
    this.server = server
  }

  static async mount(lab: Lab): Promise<HungFiles> {
    const folder = join(lab.dir, 'cluster')
    const source = join(lab.dir, 'served')
    for (const each of [folder, source]) mkdirSync(each)
    void lab.node.start('bindfs', '-f', '-o', NOTHING_CACHED, source, folder)
    await waitFor(
      'the file system',
      async () => (await lab.node.run('mountpoint', '-q', folder)).status === 0,
    )
    const server = lab.processes().find(({ command }) => command.startsWith('bindfs -f'))
    if (!server) throw new Error('bindfs has ended')
    return new HungFiles(lab, folder, source, server.pid)
  }

  /** Move a file or folder of CTDB_BASE there, and leave a link in its place. */
  take(file: string): void {
    const path = join(this.#lab.dir, 'etc', file)
    renameSync(path, join(this.#source, basename(file)))
    symlinkSync(join(this.folder, basename(file)), path)
  }

  /** The same for the folders in which CTDB's scripts and we keep state. */
  takeState(): void {
    for (const folder of ['var', 'eventscript']) {
      mkdirSync(join(this.#lab.dir, folder), { recursive: true })
      renameSync(join(this.#lab.dir, folder), join(this.#source, folder))
      symlinkSync(join(this.folder, folder), join(this.#lab.dir, folder))
    }
  }

  /** What the node hosts, as its server has the list. */
  hosted(): string {
    return readFileSync(join(this.#source, 'var/my-public-ip-addresses'), 'utf8')
  }

  /** From now on nobody gets an answer. */
  async hang(): Promise<void> {
    process.kill(this.server, 'SIGSTOP')
    await waitFor('the server to stop', () => / T /.test(readFileSync(`/proc/${this.server}/stat`, 'utf8')))
  }

  goOn(): void {
    process.kill(this.server, 'SIGCONT')
  }

  /** As with a file system that is not mounted: the links dangle. Its server ends. */
  async unmount(): Promise<void> {
    this.goOn()
    await this.#lab.node.must('umount', '-l', this.folder)
  }
}
