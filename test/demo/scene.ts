/**
 * One scene of the demo, as text for a terminal of 80 columns: what was typed where, what it printed, and what of
 * it should be so. A scene is put together while it happens and printed when its turn has come.
 */
import { relative } from 'node:path'
import chalk from 'chalk'
import type { Host } from '../lab/host/host.ts'
import type { Result } from '../lab/host/namespace.ts'
import type { Lab } from '../lab/lab.ts'
import { SCRIPT } from '../lab/paths.ts'

const COLUMNS = 80
const INDENT = 11

if (process.env['NO_COLOR'] || (!process.stdout.isTTY && !process.env['FORCE_COLOR'])) chalk.level = 0

/** Who types: the node that runs the handlers, or the other host on the wire. */
type Who = 'node' | 'client'

export class Scene {
  readonly title: string
  readonly lines: string[] = []
  /** What should have been so and was not. */
  readonly failures: string[] = []
  readonly #lab: Lab

  constructor(lab: Lab, title: string, introduction: string) {
    this.#lab = lab
    this.title = chalk.bold(title)
    this.lines.push(...wrapped(introduction, 3).map((line) => chalk.dim(line)))
  }

  /** Ask the kernel; gives back what it said, blanks squeezed. */
  async look(who: Who, ...argv: string[]): Promise<string> {
    const { out } = await this.#host(who).run(...argv)
    const said = squeezed(out)
    this.#typed(who, chalk.cyan(argv.join(' ')))
    this.#printed(said || '(nothing)')
    return said
  }

  /** Something that happens around the node: a cable, a colleague. */
  async happens(who: Who, ...argv: string[]): Promise<void> {
    await this.#host(who).must(...argv)
    this.#typed(who, chalk.yellow(argv.join(' ')))
  }

  /** The event itself, as ctdb-eventd would start it. */
  async event(...words: string[]): Promise<Result> {
    const began = performance.now()
    const result = await this.#lab.script(...words)
    const seconds = ((performance.now() - began) / 1000).toFixed(2)
    this.#typed('node', chalk.bold([relative(process.cwd(), SCRIPT), ...words].join(' ')))
    const said = result.out + result.err
    if (said !== '') this.#printed(said.trimEnd(), chalk.yellow)
    const paint = result.status === 0 ? chalk.green : chalk.red
    const silent = said === '' ? ', nothing to say' : ''
    this.#printed(`${paint(`exit status ${result.status}`)} after ${seconds} s${silent}`, (line) => line)
    return result
  }

  /** What the daemon was told meanwhile: its tool is a stand-in that writes its words down. */
  told(calls: readonly string[]): void {
    this.#typed('ctdbd', chalk.cyan('was told'))
    this.#printed(calls.map((call) => `ctdb ${call}`).join('\n') || '(nothing)')
  }

  /** Something that must be so, in a sentence. */
  expect(sentence: string, so: boolean): void {
    if (!so) this.failures.push(sentence)
    const [first = '', ...rest] = wrapped(sentence, 5)
    const mark = so ? chalk.green('✓') : chalk.red('✗ NOT SO:')
    this.lines.push(`   ${mark} ${first.trimStart()}`, ...rest)
  }

  remark(sentence: string): void {
    this.lines.push(...wrapped(`- ${sentence}`, 3))
  }

  #host(who: Who): Host {
    return who === 'node' ? this.#lab.node : this.#lab.observer
  }

  #typed(who: string, command: string): void {
    this.lines.push(`   ${chalk.dim(`${who}$`.padEnd(INDENT - 3))}${command}`)
  }

  #printed(text: string, paint: (line: string) => string = (line) => line): void {
    for (const line of text.split('\n')) this.lines.push(...wrapped(line, INDENT).map((part) => paint(part)))
  }
}

/** Text broken at blanks to fit, every line indented. */
export function wrapped(text: string, indent: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && indent + last.length + 1 + word.length <= COLUMNS)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.map((line) => ' '.repeat(indent) + line)
}

/** The columns of `ip -brief` are wide enough for any name; two blanks do. */
function squeezed(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s{2,}/g, '  '))
    .filter(Boolean)
    .join('\n')
}
