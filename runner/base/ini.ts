/**
 * Values of ctdb.conf by `section/key`, as CTDB reads it: the case of a section does not count, that of a key does; blanks
 * together are one; a line that ends in `\` goes on. Unknown keys and lines that are none are passed over.
 */
export function parseIni(text: string): Map<string, string> {
  const values = new Map<string, string>()
  let section = ''
  for (const line of text
    .replace(/\\\r?\n/g, '')
    .split('\n')
    .map((each) => each.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const head = /^\[(.*)\]$/.exec(line)
    if (head) section = head[1]?.trim().toLowerCase() ?? ''
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/.exec(line.replace(/\s+/g, ' ')) ?? []
    if (!head && key !== undefined && value !== undefined) values.set(`${section}/${key}`, value)
  }
  return values
}
