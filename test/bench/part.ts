/** A part of the bench: what it prints, and what of it goes into the JSON. */
import type { Figure } from './beside.ts'

export interface Part {
  lines: string[]
  /** Who or what was left out, and why. */
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
  /** Where the plot of the bulk part goes, if anywhere. */
  svg?: string
}
