import { visible } from '../../base/visible.ts'
import { LEVELS, type Conf, type Level } from './conf.ts'
import { openSink, type Sink } from './log-sink.ts'

/** Bytes that may wait for a slow disk; later lines are dropped, and counted. */
const MOST_WAITING = 4 * 1024 * 1024
const RETRY_MS = 1000
/** Milliseconds between two looks at the program that takes the lines. */
const LOOK_EVERY_MS = 1000

/** The log of the daemon, at the level and in the place of ctdb.conf. A log that cannot be written never stops us. */
export class Log {
  readonly #location: Conf['location']
  readonly #host: string
  /** The index of the least important level that is written. */
  readonly #least: number
  #sink: Sink
  /** The moment in which the sink was opened, in milliseconds of the monotonic clock. */
  #opened = performance.now()
  #looked = 0
  #dropped = 0

  constructor({ location, level, host }: Pick<Conf, 'location' | 'level' | 'host'>) {
    this.#location = location
    this.#host = host
    this.#least = LEVELS.indexOf(level)
    this.#sink = openSink(location, host)
  }

  write(level: Level, text: string): void {
    if (LEVELS.indexOf(level) > this.#least) return
    this.#repair()
    this.#lookAfter()
    this.#reportLoss()
    // a name in a file or of a process is no line of its own, and no terminal that shows the log obeys it
    for (const line of visible(text).split('\n')) this.#put(level, line)
  }

  /** Open the file again: it may have been moved away. */
  reopen(): void {
    if (this.#location.kind !== 'file') return
    this.#sink.stream.end()
    this.#sink = openSink(this.#location, this.#host)
  }

  /** Resolves when every line that can be written is written. */
  async close(): Promise<void> {
    if (this.#location.kind === 'stderr') return
    this.#sink.stream.end()
    this.#sink.lookAfter?.()
    await this.#sink.ended
  }

  #put(level: Level, text: string): void {
    if (this.#isStuck()) this.#dropped += 1
    else
      this.#sink.stream.write(this.#sink.line(level, text), (error) => {
        if (error) this.#dropped += 1
      })
  }

  #isStuck(): boolean {
    const { stream } = this.#sink
    return stream.destroyed || stream.writableLength > MOST_WAITING
  }

  #lookAfter(): void {
    if (performance.now() - this.#looked < LOOK_EVERY_MS) return
    this.#looked = performance.now()
    this.#sink.lookAfter?.()
  }

  /** An error ends a stream for good; the disk may have room again. */
  #repair(): void {
    if (!this.#sink.stream.destroyed || performance.now() - this.#opened <= RETRY_MS) return
    this.#sink = openSink(this.#location, this.#host)
    this.#opened = performance.now()
  }

  #reportLoss(): void {
    if (this.#dropped === 0 || this.#isStuck()) return
    const lost = this.#dropped
    this.#dropped = 0
    this.#put('WARNING', `${lost} lines of the log were lost: it could not be written`)
  }
}
