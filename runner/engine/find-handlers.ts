import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Event } from '../node/events.ts'
import type { Handler, Node } from '../node/node.ts'
import { Refusal, Usage } from '../base/refusal.ts'

/** One entry of a folder of handlers, under the name that logs and reports give it. */
export type Entry = { name: string; path: string } & (
  | { kind: 'module'; load: () => Promise<Handler> }
  | { kind: 'script' }
  | { kind: 'unusable'; disabled: boolean; why: string }
)

/** `NN.name` with what it is written in; `10.interface.options` and editors' copies are no handlers. */
const PATTERN = /^(\d\d\..*)\.(script|mjs|js|ts)$/

/**
 * The handlers of a folder, in the order of the bytes of their file names, as ctdb-eventd has it. Where a
 * module and a script bear one name, the script is that module's form for ctdb-eventd, and the module is taken.
 * Throws Usage when there is no such folder.
 */
export function findHandlers(folder: string): Entry[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new Usage(
      `${folder}: cannot list the handlers: ${code === 'ENOENT' ? 'no such folder' : code}: check --events`,
    )
  }
  const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const entries = sorted.flatMap((file) => entryOf(resolve(folder), file))
  const modules = new Set(entries.filter(({ kind }) => kind === 'module').map(({ name }) => name))
  return entries.filter(({ name, kind }) => kind === 'module' || !modules.has(name))
}

function entryOf(folder: string, file: string): Entry[] {
  const found = PATTERN.exec(file)
  if (!found || file.endsWith('.d.ts')) return []
  const [, name = '', language = ''] = found
  const path = join(folder, file)
  if (language !== 'script') return [{ name, path, kind: 'module', load: () => loadModule(path) }]
  const why = whyNotRun(path)
  return why ? [{ name, path, kind: 'unusable', ...why }] : [{ name, path, kind: 'script' }]
}

/** What keeps a script from being executed; CTDB itself passes over all of these in silence. */
export function whyNotRun(path: string): { disabled: boolean; why: string } | undefined {
  let start: string
  try {
    const status = statSync(path)
    // the owner's bit decides, as for ctdb-eventd
    if ((status.mode & 0o100) === 0)
      return { disabled: true, why: `${path} is not executable: "chmod u+x" enables it` }
    // to read a pipe would wait for ever
    if (!status.isFile()) return { disabled: false, why: `${path} cannot run: it is no file` }
    start = startOf(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    const gone = code === 'ENOENT'
    return {
      disabled: gone,
      why: `${path}: ${gone ? 'a dangling link: remove it, or mend what it points to' : code}`,
    }
  }
  if (start.startsWith('\u007fELF')) return undefined
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(start)?.[1]
  if (!interpreter)
    return { disabled: false, why: `${path} cannot run: its first line is no "#!" with an interpreter` }
  try {
    statSync(interpreter)
  } catch {
    const crlf = interpreter.endsWith('\r') ? ' (its lines end in CR LF)' : ''
    return {
      disabled: false,
      why: `${path} cannot run: its interpreter ${interpreter.trimEnd()} does not exist${crlf}`,
    }
  }
  return undefined
}

/** As much of a file as the kernel looks at to find its interpreter. */
function startOf(path: string): string {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(256)
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

/** The handler in a module; a Refusal when there is none. */
export async function loadModule(path: string): Promise<Handler> {
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    const hint = path.endsWith('.ts')
      ? ': TypeScript runs by itself on node 22.18 or later, else compile it'
      : ''
    throw new Refusal(
      `${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}${hint}`,
    )
  }
  const handler = loaded.default
  if (typeof handler !== 'object' || handler === null || !('about' in handler))
    throw new Refusal(
      `${path} is no handler: expected "export default { about: …, takeip… }", see docs/handlers.md`,
    )
  return handler as Handler
}

type Act = (node: Node, args: Event['args']) => Promise<void>

/** What a handler does at an event of that name; what every object has (`toString`) is none of it. */
export function actOf(handler: Handler, event: string): Act | undefined {
  const act: unknown = event in Object.prototype ? undefined : handler[event as keyof Handler]
  return typeof act === 'function' ? (act as Act) : undefined
}
