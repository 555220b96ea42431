/** The words of the command line as yargs takes them. */

/** Options that the ctdb tool takes before its command and that have a value: `-x :`, `-t 3`. */
const WITH_VALUE = ['-x', '-t', '--timeout', '--events']

/**
 * The ctdb tool takes its options before the command, `ctdb -X ip`, and a separator as one word, `-x:`. Here options
 * belong to their command: those that stand before it go to the end of its own.
 */
export function commandFirst(argv: readonly string[]): string[] {
  const words = argv.flatMap((word) => (/^-x\W$/.test(word) ? ['-x', word.slice(2)] : [word]))
  let count = 0
  while (words[count]?.startsWith('-') && words[count] !== '--')
    count += WITH_VALUE.includes(words[count]!) ? 2 : 1
  const [command, ...rest] = words.slice(count)
  return command === undefined ? words : [command, ...words.slice(0, count), ...rest]
}
