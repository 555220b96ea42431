/** A part of the bench: its printed output, and its part of the JSON. */
import type { Figure } from './beside.ts'

export interface Part {
  lines: string[]
  /** The omitted contestants or measurements, with the reasons. */
  missing: readonly string[]
  notes: string
  figures: Record<string, unknown>
  /** With `--also`: this build beside the other. */
  beside?: Figure[]
}

export interface Options {
  runs: number
  /** The folder of another build. */
  also?: string
  long: boolean
  /** The path for the plot of the bulk part, if any. */
  svg?: string
}
