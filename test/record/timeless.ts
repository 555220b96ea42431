/** When two recordings of a scenario say the same. */

/** Without times, and with neighbouring lines of one kind in order: `ss` and /proc/net/if_inet6 follow salted hashes. */
export function timeless(text: string): string {
  const lines = text.split('\n').filter((line) => !line.startsWith('  took '))
  const kind = (line: string | undefined) => /^ *(out|in|say)\b/.exec(line ?? '')?.[1]
  const groups: string[][] = []
  lines.forEach((line, i) => {
    const group = groups.at(-1)
    if (group && kind(line) && kind(line) === kind(lines[i - 1])) group.push(line)
    else groups.push([line])
  })
  return groups.flatMap((group) => group.toSorted()).join('\n')
}
