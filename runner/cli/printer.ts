import type { Placed } from '../install/install.ts'
import type { Listed } from '../engine/list.ts'
import type { Replayed } from '../engine/replay-event.ts'
import { ctime } from '../format/ctime.ts'
import type { Activity } from '../eventd/run/component.ts'
import { statusLines, type Layout } from '../eventd/status-text.ts'
import type { ScriptStatus } from '../eventd/protocol/messages.ts'
import type { Parked } from '../net/dad/parked.ts'
import type { HandlerReport, Outcome, Report } from '../engine/report.ts'
import { toPrinting, toShell } from '../machine/argv.ts'
import type { Witness } from '../machine/recording/record.ts'
import type { Step } from '../machine/recording/transcript.ts'

type Paint = (text: string) => string

/** How things are coloured; main knows whether at all. */
export interface Paints {
  good: Paint
  bad: Paint
  warn: Paint
  dim: Paint
  bold: Paint
}

const WORDS: Record<Outcome, [string, keyof Paints]> = {
  ok: ['OK', 'good'],
  failed: ['FAILED', 'bad'],
  timedout: ['TIMEDOUT', 'bad'],
  disabled: ['DISABLED', 'dim'],
  'cannot-run': ['CANNOT RUN', 'bad'],
}

/** What the command line prints, as lines. */
export function printer(paints: Paints) {
  const word = (outcome: Outcome) => {
    const [text, paint] = WORDS[outcome]
    return paints[paint](text.padEnd(10))
  }
  const said = (line: string) => (line.startsWith('WARNING') ? paints.warn(line) : line)

  function handler({ name, outcome, ms, output, why }: HandlerReport): string {
    const reason = why === undefined ? '' : `  ${why.replaceAll('\n', '\n    ')}`
    return [
      `${name.padEnd(20)} ${word(outcome)} ${(ms / 1000).toFixed(3)} s${reason}`,
      ...output.map((line) => `  ${said(line)}`),
    ].join('\n')
  }

  return {
    handler,

    listed({ name, kind, about, events }: Listed): string {
      const paint = { handler: 'good', script: 'good', disabled: 'dim', broken: 'bad' } as const
      const known = events.length > 0 ? paints.dim(` (${events.join(' ')})`) : ''
      return `${name.padEnd(20)} ${paints[paint[kind]](kind.padEnd(10))} ${about}${known}`
    },

    /** What `install` and `uninstall` have done at one place. */
    placed({ name, did, text, notes }: Placed): string {
      const paint = did === 'already' || did === 'absent' ? 'dim' : 'good'
      const head = `${name.padEnd(20)} ${paints[paint](did.toUpperCase().padEnd(10))} ${text}`
      return [head, ...notes.map((line) => `  ${said(line)}`)].join('\n')
    },

    /** In the manner of `ctdb event status`. */
    status({ handlers }: Report): string {
      return handlers
        .map(({ name, outcome, ms, began, output, why }) => {
          const lines = [...output, ...(why === undefined ? [] : why.split('\n'))]
          const head = `${name.padEnd(20)} ${word(outcome)} ${(ms / 1000).toFixed(3)} ${ctime(new Date(began))}`
          return [head, ...lines.map((line) => `  OUTPUT: ${line}`)].join('\n')
        })
        .join('\n')
    },

    /** An address that is kept off the wire, since some event before. */
    parked({ address, bits, iface, rival }: Parked): string {
      return paints.warn(`parked: ${address}/${bits}, which belongs on ${iface}: ${rival} has it`)
    },

    /** A script's end as the event daemon has it, in the layout of the ctdb tool. */
    script: (status: ScriptStatus, layout: Layout): string =>
      statusLines(status, layout, (text, outcome) => paints[WORDS[outcome][1]](text)).join('\n'),

    /** What a component of the event daemon is at. */
    activity({ component, running, waiting }: Activity & { component: string }): string {
      const age = (ms: number) => `${(ms / 1000).toFixed(1).padStart(7)} s`
      const lines = waiting.map(
        ({ event, words, ms }) => `  waiting ${age(ms)}  ${[event, ...words].join(' ')}`,
      )
      if (running.length === 0) return [`${component}: idle`, ...lines].join('\n')
      const current = running.flatMap(({ event, words, ms, handler: at, program, programMs = 0 }) => [
        `  running ${age(ms)}  ${[event, ...words].join(' ')}${at === undefined ? '' : `  in ${at}`}`,
        ...(program === undefined ? [] : [`          ${age(programMs)}  ${program}`]),
      ])
      return [`${component}:`, ...current, ...lines].join('\n')
    },

    /** One run, a line, and below it what was not well, or not as it should be. */
    run({ event, words, outcome, began, ms, handlers }: Report): string {
      const odd = handlers.flatMap(({ name, outcome: end, output, why = '' }) => [
        ...output.filter((line) => line.startsWith('WARNING')).map((line) => `  ${name}: ${line}`),
        ...(end === 'ok' || end === 'disabled' ? [] : [`  ${name}: ${why}`]),
      ])
      const head = `${ctime(new Date(began))}  ${word(outcome)} ${(ms / 1000).toFixed(3).padStart(7)} s  ${[event, ...words].join(' ')}`
      return [head, ...odd].join('\n')
    },

    replayed(file: string, { report, problems }: Replayed): string {
      const verdict = problems.length === 0 ? paints.good('as recorded') : paints.bad('NOT AS RECORDED')
      const { event, words, outcome } = report
      return [
        `${file}: ${[event, ...words].join(' ')}: ${outcome}: ${verdict}`,
        ...problems.map(indented),
      ].join('\n')
    },

    /** The commands of a dry run, each ready to be pasted; whatever is no command is a comment. */
    commands(print: (line: string) => void): Witness {
      return {
        begins: () => {},
        ended: (step) => asCommand(step).forEach((line) => print(line)),
        notes: (note) => {
          if (note.verb === 'handler') print(paints.dim(`# ${note.name}`))
          if (note.verb === 'say') print(paints.dim(`# says: ${note.text}`))
          if (note.verb === 'end')
            print(paints.dim(`# would end: ${[note.outcome, note.why].filter(Boolean).join(': ')}`))
        },
      }
    },

    /** What was found, why, and what is done about it. */
    reasons(print: (line: string) => void): Witness {
      return {
        begins(step) {
          if (step.verb === 'ask') print(paints.dim(`    looks at: ${toShell(step.argv)}`))
        },
        ended(step) {
          for (const line of asCommand(step)) print(`    ${paints.bold(`$ ${line}`)}`)
        },
        notes(note) {
          if (note.verb === 'handler') print(note.name)
          if (note.verb === 'because') print(`  ${note.text}`)
          if (note.verb === 'say') print(`  says: ${said(note.text)}`)
          if (note.verb === 'end')
            print(
              `  ${word(note.outcome as Outcome).trimEnd()}${note.why === undefined ? '' : `: ${note.why}`}`,
            )
        },
      }
    },
  }
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}

/** A step that changes something, as lines for a shell; none for one that only looks, or that failed. */
function asCommand(step: Step): string[] {
  if (step.trouble) return []
  if (step.verb === 'write') return [`${toPrinting(step.text)} >${toShell([step.path])}`]
  if (step.verb !== 'change') return []
  const command = toShell(step.argv)
  if (step.how === 'start') return [`${command} &`]
  return [step.input === undefined ? command : `${toPrinting(step.input)} | ${command}`]
}
