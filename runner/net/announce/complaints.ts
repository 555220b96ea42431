/** What goes wrong in rounds is said once, until a round has gone well. */
export class Complaints {
  readonly #complain: (line: string) => void
  readonly #said = new Set<string>()
  #isWell = true

  constructor(complain: (line: string) => void) {
    this.#complain = complain
  }

  say(line: string): void {
    if (!this.#said.has(line)) this.#complain(line)
    this.#said.add(line)
    this.#isWell = false
  }

  roundBegins(): void {
    this.#isWell = true
  }

  roundEnds(): void {
    if (this.#isWell) this.#said.clear()
  }
}
