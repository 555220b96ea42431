import type { Activity, Component } from '../run/component.ts'
import type { Log } from '../conf/log.ts'
import { ERRNO, LEGACY } from '../protocol/messages.ts'
import { componentFolder, mustBeFolder, NoComponent } from '../run/scripts.ts'
import { isFar } from '../../machine/files/may-hang.ts'

/** The components that clients have named, each with its own queue. */
export class Components {
  readonly #etc: string
  readonly #log: Log
  readonly #create: (folder: string) => Component
  readonly #byName = new Map<string, Component>()
  /** Folders that could be listed a moment ago: requests that come together look once. */
  readonly #listed = new Set<string>()

  /** `etc`: the folder of ctdb.conf. `create` makes the component of a folder. */
  constructor(etc: string, log: Log, create: (folder: string) => Component) {
    this.#etc = etc
    this.#log = log
    this.#create = create
  }

  /**
   * The component, or the errno for the client when its folder cannot be listed. A component is remembered after its
   * folder could be listed once (event/event_context.c of CTDB 4.17).
   */
  named(name: string): Component | number {
    const folder = componentFolder(this.#etc, name)
    if (folder === undefined) return ERRNO.ENOENT
    try {
      this.#mustBeListed(folder)
    } catch (error) {
      if (!(error instanceof NoComponent)) throw error
      this.#log.write('WARNING', `failed to get script list for ${folder}, ret=${error.errno}`)
      return error.errno
    }
    const component = this.#byName.get(name) ?? this.#create(folder)
    this.#byName.set(name, component)
    return component
  }

  /** The client has gone: its events go. */
  drop(client: object): void {
    for (const { events } of this.#byName.values()) events.drop(client)
  }

  /** Are public addresses on the move? */
  areMoving(): boolean {
    return [...this.#byName.values()].some(({ events }) => events.isMoving())
  }

  activity(): (Activity & { component: string })[] {
    return [...this.#byName].map(([name, each]) => ({ component: name, ...each.activity() }))
  }

  /** The last event was `shutdown`, and it ended well: this node holds no public address. */
  wasShutDown(): boolean {
    const last = this.#byName.get(LEGACY)?.statuses.last()
    return last?.event === 'shutdown' && last.good
  }

  /** End every event. Resolves when all have ended. */
  async close(): Promise<void> {
    await Promise.all([...this.#byName.values()].map(({ events }) => events.close()))
  }

  #mustBeListed(folder: string): void {
    // one whose file system may hang is looked at in the event's own time
    if (!this.#listed.has(folder) && !isFar(folder)) mustBeFolder(folder)
    if (this.#listed.size === 0) setImmediate(() => this.#listed.clear())
    this.#listed.add(folder)
  }
}
