/** A part of the bench: what it prints, and what of it goes into the JSON. */
export interface Part {
  lines: string[]
  /** Who or what was left out, and why. */
  missing: readonly string[]
  notes: string
  figures: Record<string, unknown>
}

export interface Options {
  runs: number
  also?: string
  long: boolean
  /** Where the plot of the bulk part goes. */
  svg: string
}
