type Paint = (text: string) => string

/** A colour for each meaning; where the output has no colours, each gives back its text. */
export interface Paints {
  good: Paint
  bad: Paint
  warn: Paint
  dim: Paint
  bold: Paint
}

const unchanged: Paint = (text) => text

export const NO_COLOURS: Paints = {
  good: unchanged,
  bad: unchanged,
  warn: unchanged,
  dim: unchanged,
  bold: unchanged,
}
