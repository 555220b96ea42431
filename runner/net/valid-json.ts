/** What `ip -json` prints as it is although JSON wants it otherwise: an apostrophe before 6.1, control characters in all releases. */

/** A character behind a backslash, or a control character. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const DOUBTFUL = /\\[^]|[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g

/**
 * JSON of what `ip -json` prints. Whoever names a device (description, altname) writes these characters, and the answer for
 * all devices would be unreadable. Line feeds and tabs are left alone: inside a string `ip` escapes them.
 */
export function validJson(text: string): string {
  return text.replace(DOUBTFUL, (found) => {
    if (found === "\\'") return "'"
    if (found.startsWith('\\')) return /^\\["\\/bfnrtu]$/.test(found) ? found : `\\${found}`
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
