import { fromShell } from '../argv.ts'
import { BadTranscript } from './transcript.ts'

/** A line of a recording: its first word, and the rest. */
export class RecordedLine {
  /** Counted from 1. */
  readonly number: number
  readonly #whole: string
  readonly label: string
  readonly rest: string

  constructor(number: number, whole: string, text = whole) {
    this.number = number
    this.#whole = whole
    const at = text.indexOf(' ')
    this.label = at < 0 ? text : text.slice(0, at)
    this.rest = at < 0 ? '' : text.slice(at + 1)
  }

  /** Throws a BadTranscript. */
  bad(expected: string): never {
    throw new BadTranscript(this.number, this.#whole, expected)
  }

  /** The words of the rest. */
  words(atLeast: number, atMost: number, expected: string): string[] {
    const found = fromShell(this.rest)
    return found && found.length >= atLeast && found.length <= atMost ? found : this.bad(expected)
  }

  /** The one word of the rest. */
  word(expected: string): string {
    return this.words(1, 1, expected)[0] ?? ''
  }

  numberIn(pattern: RegExp): number {
    const found = pattern.exec(this.rest)?.[1]
    return found === undefined ? this.bad(`"${this.label}" with a number`) : Number(found)
  }

  /** The rest as text: a line, or what a JSON string says where the label ends in `=`. */
  text(): string {
    return this.label.endsWith('=') ? this.#jsonString() : `${this.rest}\n`
  }

  #jsonString(): string {
    let value: unknown
    try {
      value = JSON.parse(this.rest)
    } catch {
      // said below
    }
    return typeof value === 'string' ? value : this.bad('a JSON string')
  }
}
