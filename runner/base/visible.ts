/**
 * What a terminal obeys or hides: control characters but line ends and tabs, those of C1 too; the characters that turn the
 * direction of text, join invisibly or separate lines; and each blank that is not the space, which looks like the space.
 */
const UNSEEN = /(?![ \n\t])[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu

/** The text with such characters as `\u001b`. Text of JSON stays JSON of the same value. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (each) => each.split('').map(escaped).join(''))
}

/** A UTF-16 unit, as JSON writes it: half of a character beyond U+FFFF. */
const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
