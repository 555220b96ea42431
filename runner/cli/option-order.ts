/** The order of the command line's words, from that of the ctdb tool to that of yargs. */

/** Options that the ctdb tool takes before its command and that have a value: `-x :`, `-t 3`. */
const WITH_VALUE = ['-x', '-t', '--timeout', '--events']

/**
 * The command comes first, then its options, as options belong to their command here. The ctdb tool takes options before
 * its command, `ctdb -X ip`, and a separator in the same word, `-x:`.
 */
export function commandFirst(argv: readonly string[]): string[] {
  const words = argv.flatMap((word) => (/^-x\W$/.test(word) ? ['-x', word.slice(2)] : [word]))
  let count = 0
  while (words[count]?.startsWith('-') && words[count] !== '--')
    count += WITH_VALUE.includes(words[count]!) ? 2 : 1
  const [command, ...rest] = words.slice(count)
  return command === undefined ? words : [command, ...words.slice(0, count), ...rest]
}
