/**
 * What `ip -json` prints although it is no JSON: a backslash before an apostrophe (before iproute2 6.1), control characters
 * (all releases), numbers without names for the metrics of a route (before 5.3, ip/iproute.c).
 */

/** A character behind a backslash, or a control character. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const DOUBTFUL = /\\[^]|[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g

/** `"metrics":[1400 "rto_min":5]`. Inside a string the quotes would have backslashes. */
const NAMELESS = /"metrics":\[(?!\{)[^[\]]*\]/g

/**
 * JSON of what `ip -json` prints. Whoever names a device (description, altname) writes these characters, and the answer for
 * all devices would be unreadable. Line feeds and tabs are left alone: inside a string `ip` escapes them. Metrics without
 * names become `null`: not known.
 */
export function validJson(text: string): string {
  return text.replace(NAMELESS, '"metrics":null').replace(DOUBTFUL, (found) => {
    if (found === "\\'") return "'"
    if (found.startsWith('\\')) return /^\\["\\/bfnrtu]$/.test(found) ? found : `\\${found}`
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
