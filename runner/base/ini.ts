/**
 * The values of ctdb.conf by `section/key`, by CTDB's rules (common/conf.c, 4.17): the case of a section does not matter,
 * that of a key does; several blanks are one; a line that ends in `\` continues. Other lines are skipped.
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
