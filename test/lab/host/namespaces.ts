/** Hosts, each a network namespace that a `cat` holds: it waits until our end of its input is closed, also by our death. */
import { execa, type ResultPromise } from 'execa'
import { Host } from './host.ts'

export class Namespaces {
  readonly #env: Record<string, string>
  readonly #asRoot: boolean
  readonly #anchors: ResultPromise[] = []

  /** `asRoot`: without a user namespace of their own. */
  constructor(env: Record<string, string>, asRoot: boolean) {
    this.#env = env
    this.#asRoot = asRoot
  }

  /** A host with mounts of its own. */
  async first(): Promise<Host> {
    const spaces = this.#asRoot ? '-nm' : '-Urnm'
    return await this.#hold(['unshare', spaces, '--propagation', 'private', 'cat'])
  }

  /** One more host, which has the files of that one. */
  async beside({ pid }: Host): Promise<Host> {
    return await this.#hold([...this.#nsenter(pid), '-m', 'unshare', '-n', 'cat'])
  }

  async close(): Promise<void> {
    for (const anchor of this.#anchors.toReversed()) {
      anchor.stdin?.end()
      await anchor
    }
  }

  #nsenter(pid: number): string[] {
    return ['nsenter', '-t', String(pid), ...(this.#asRoot ? [] : ['-U', '--preserve-credentials'])]
  }

  async #hold(anchor: string[]): Promise<Host> {
    const [program = '', ...words] = anchor
    const child = execa(program, words, { stdin: 'pipe', reject: false, env: this.#env, extendEnv: true })
    this.#anchors.push(child)
    child.stdin.write('ready\n')
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve)
      void child.then(({ stderr }) => reject(new Error(`${anchor.join(' ')}: ${stderr}`)))
    })
    const pid = child.pid ?? 0
    return new Host(pid, [...this.#nsenter(pid), '-n', '-m', '--'], this.#env)
  }
}
