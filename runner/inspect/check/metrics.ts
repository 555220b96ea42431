import { randomUUID } from 'node:crypto'
import { closeSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { aboutFigure, unitOf, type Sight } from './figures.ts'
import { EXIT, type Verdict } from './verdict.ts'
import { LVS_ADDRESS } from '../../node/handler-names.ts'
import { visible } from '../../base/visible.ts'
import { Usage } from '../../base/refusal.ts'
import { FileError } from '../../machine/errors.ts'
import { newFile } from '../../machine/files/new-file.ts'

/**
 * The figures of `check` in Prometheus' text format, and what each handler has `putBack`. Without an answer a figure is left
 * out, and `eventscript_up` is 0.
 */
export function asMetrics(
  sight: Sight,
  { figures, state, reasons }: Verdict,
  putBack: ReadonlyMap<string, number>,
): string {
  const handlers = typeof sight.handlers === 'string' ? [] : sight.handlers
  const labelled = (value: (each: (typeof handlers)[number]) => number) =>
    handlers.map((each): Sample => [value(each), { handler: each.name, event: 'monitor' }])
  const counts = (isMeant: (handler: string) => boolean) =>
    [...putBack]
      .filter(([handler]) => isMeant(handler))
      .map(([handler, count]): Sample => [count, { handler }])
  return [
    metric('up', 'Whether CTDB answered all that was asked.', [[reasons.length === 0 ? 1 : 0]]),
    metric('state', 'What "eventscript check" exits with: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.', [
      [EXIT[state]],
    ]),
    ...figures.map(({ name, value }) =>
      metric(
        unitOf(name) === 's' ? `${name}_seconds` : name,
        `Number of ${aboutFigure(name)}.`.replace(/^Number of time/, 'Time'),
        [[value]],
      ),
    ),
    metric(
      'handler_seconds',
      'Time of an event script at the last monitor event.',
      labelled(({ seconds }) => seconds),
    ),
    metric(
      'handler_ok',
      'Whether an event script ended well, or is disabled.',
      labelled(({ outcome }) => (outcome === 'ok' || outcome === 'disabled' ? 1 : 0)),
    ),
    metric(
      'routing_put_back_total',
      'Routes, or addresses with their rules and routes, that were missing and were put back at monitor.',
      counts((handler) => handler !== LVS_ADDRESS),
      'counter',
    ),
    metric(
      'sysctls_put_back_total',
      'Sysctls that another program had changed, and that were set again at monitor.',
      counts((handler) => handler === LVS_ADDRESS),
      'counter',
    ),
  ].join('')
}

type Sample = [value: number, labels?: Record<string, string>]

function metric(
  name: string,
  help: string,
  samples: readonly Sample[],
  type: 'gauge' | 'counter' = 'gauge',
): string {
  if (samples.length === 0) return ''
  const full = `eventscript_${name}`
  const lines = samples.map(([value, labels = {}]) => {
    const all = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
    return `${full}${all.length > 0 ? `{${all.join(',')}}` : ''} ${value}`
  })
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines, ''].join('\n')
}

function escaped(text: string): string {
  return visible(text).replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
}

/**
 * Replace the file as a whole, so that node_exporter never reads half a file; its mode does not depend on our umask. The
 * draft's name does not end in `.prom`: node_exporter ignores it. The folder may belong to another user: a link of theirs is
 * not followed, neither from the draft, which is new, nor from the file, whose place the draft takes.
 */
export function writeMetrics(file: string, text: string): void {
  if (!file.endsWith('.prom'))
    throw new Usage(`metrics ${file}: expected a name that ends in .prom: node_exporter reads no other`)
  const draft = join(dirname(file), `.${basename(file)}.${randomUUID()}`)
  try {
    const fd = newFile(draft, 0o644)
    try {
      writeFileSync(fd, text)
    } finally {
      closeSync(fd)
    }
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw new FileError('write', file, (error as NodeJS.ErrnoException).code ?? String(error))
  }
}
