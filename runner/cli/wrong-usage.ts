/** What yargs says of a wrong command line, as a sentence with the nearest name and the place where all are listed. Pure. */
import { nearest } from '../base/nearest.ts'
import type { Command } from './command.ts'

/** `command` is the one that the command line names; undefined where it names none. */
export function wrongUsage(
  message: string,
  { command, names }: { command: Command | undefined; names: readonly string[] },
): string {
  const [, kind = '', text = ''] =
    /^(Unknown (?:argument|command)s?|Not enough arguments following|Missing required arguments?): (.*)$/.exec(
      message,
    ) ?? []
  const name = command?.usage.split(' ', 1)[0]
  const all = `"eventscript ${name === undefined ? '' : `${name} `}--help" lists`
  if (kind.startsWith('Not')) return `${dashed(text)}: its value is missing: ${all} the options`
  if (kind.startsWith('Missing'))
    return `${name}: ${text} is missing: expected "eventscript ${command?.usage}"`
  if (command && message.startsWith('Not enough non-option'))
    return `${name}: a word is missing: expected "eventscript ${command.usage}"`
  if (!kind.startsWith('Unknown')) return message
  const [word = ''] = text.split(', ')
  if (command) return unknownOption(word, command, `${all} all`)
  return `"${word}": no such command: ${hint(nearest(word, names))}${all} all`
}

/**
 * The sentence for the first long option that the command does not have; undefined where it has all. yargs would take such an
 * option for a word of the command. The words of an event may be anything.
 */
export function unknownOptionIn(words: readonly string[], command: Command | undefined): string | undefined {
  if (!command || command.usage.includes('[words..]')) return undefined
  const options = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined)
  const known = [...COMMON, ...optionsOf(command)]
  const unknown = options.find(
    (word, i) =>
      /^--[a-z]/i.test(word) &&
      !known.includes(word.replace(/^--(?:no-)?/, '').replace(/=[^]*$/, '')) &&
      !takesValue(options[i - 1] ?? '', command),
  )
  return unknown === undefined
    ? undefined
    : wrongUsage(`Unknown argument: ${unknown}`, { command, names: [] })
}

/** Is the next word the value of this one? */
function takesValue(word: string, { options }: Command): boolean {
  const name = word.replace(/^-+/, '')
  const found = Object.entries(options).find(([option, { alias }]) => option === name || alias === name)
  return word.startsWith('-') && found?.[1].type === 'string'
}

const optionsOf = ({ options }: Command) =>
  Object.entries(options).flatMap(([option, { alias }]) => [option, alias ?? []].flat())

/** yargs names an option without its dashes, and a word as it is. */
function unknownOption(word: string, command: Command, all: string): string {
  const [name] = command.usage.split(' ')
  const known = [...COMMON, ...optionsOf(command)]
  const bare = word.replace(/^-+/, '').replace(/=.*/, '')
  const meant = bare.length > 1 ? nearest(bare, known) : undefined
  return `${name}: "${word}": no such option or word: ${hint(meant === undefined ? undefined : dashed(meant))}${all}`
}

const COMMON = ['json', 'color', 'help', 'version']

const hint = (name: string | undefined) => (name === undefined ? '' : `did you mean "${name}"? `)

const dashed = (option: string) => `${option.length > 1 ? '--' : '-'}${option}`
