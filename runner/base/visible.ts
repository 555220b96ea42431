/**
 * What a terminal obeys or hides: control characters but line ends and tabs, those of C1 too, and the characters that turn the
 * direction of text, join invisibly or separate lines.
 */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** The text with such characters as `\u001b`. Text of JSON stays JSON of the same value. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
