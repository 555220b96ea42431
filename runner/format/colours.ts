import { randomInt } from 'node:crypto'
import { visible } from '../base/visible.ts'

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

/** Nobody outside knows this number, so that no file can hold a colour that passes for ours. */
const KEY = `${randomInt(1e9, 1e10)};`
const OURS = new RegExp(`(\\u001b\\[)${KEY}([\\d;]*m)`)

/** The same colour, but known as ours until `printed` prints it. What is painted has no colours yet. */
export function keyed(paint: Paint): Paint {
  return (text) => paint(visible(text)).replaceAll('\u001b[', `\u001b[${KEY}`)
}

/** A line as it leaves us: our colours are colours, any other control character is made visible. */
export function printed(line: string): string {
  // split gives the text between colours, then the two halves of a colour, and so on
  return line
    .split(OURS)
    .map((part, i) => (i % 3 === 0 ? visible(part) : part))
    .join('')
}
