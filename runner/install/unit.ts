/** The text of a unit with its drop-ins, by the rules of systemd.syntax(7) and systemd.exec(5). */

/** All values of a setting, by `Section/Name`: an empty value takes back those before it. */
export type Unit = ReadonlyMap<string, readonly string[]>

export function parseUnit(text: string): Unit {
  const values = new Map<string, string[]>()
  let section = ''
  for (const line of joined(text)) {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section
    const [, name, value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? []
    if (name === undefined) continue
    const key = `${section}/${name}`
    values.set(key, value === '' ? [] : [...(values.get(key) ?? []), value])
  }
  return values
}

/** Lines without comments. A line that ends in `\` continues in the next. */
function joined(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^[#;]/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
}

/** The last PATH that assignments such as `A=b "PATH=/x:/y"` set. */
export function pathIn(assignments: readonly string[]): string | undefined {
  const words = assignments.flatMap((line) => line.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [])
  const set = words.map((word) => word.replaceAll(/["']/g, '')).filter((word) => word.startsWith('PATH='))
  return set.at(-1)?.slice('PATH='.length)
}
