import type { Step } from '../../machine/recording/transcript.ts'

/** What the last act has removed or put back: as each step says of itself, if it went well. */
export class RemovedCount {
  /** An address may be in the batches of several handlers: the batch whose turn comes first deletes it. */
  readonly #addresses = new Set<string>()
  #rules = 0
  #sysctls = 0

  add(step: Step): void {
    if (step.trouble || ('answer' in step && step.answer?.status !== 0)) return
    const { addresses = [], rules = 0, sysctls = 0 } = step.removes ?? {}
    for (const { address, bits, iface } of addresses) this.#addresses.add(`${address}/${bits} ${iface}`)
    this.#rules += rules
    this.#sysctls += sysctls
  }

  counts(): { addresses: number; rules: number; sysctls: number } {
    return { addresses: this.#addresses.size, rules: this.#rules, sysctls: this.#sysctls }
  }
}
