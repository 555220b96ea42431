import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Event } from '../node/events.ts'
import type { Handler, Node } from '../node/node.ts'
import { isFar } from '../machine/files/may-hang.ts'
import { Refusal, Usage } from '../base/refusal.ts'

/** One entry of a folder of handlers, by its name in logs and reports. */
export type Entry = { name: string; path: string } & (
  | { kind: 'module'; load: () => Promise<Handler> }
  /** `unknown`: it is not really run, in a rehearsal, and this says what is known of its end. */
  | { kind: 'script'; unknown?: string }
  | { kind: 'unusable'; disabled: boolean; why: string }
)

/** `NN.name` with the ending of its language; `10.interface.options` and editors' copies are no handlers. */
const PATTERN = /^(\d\d\..*)\.(script|mjs|js|ts)$/

/**
 * The handlers of a folder in the order of ctdb-eventd, by the bytes of their file names. When a module and a script have
 * one name, the script is the module's form for ctdb-eventd, and the module counts. Throws Usage without such a folder.
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
  // where its file system hangs, a look would, too: a child looks when the script is started
  if (!isFar(folder) && isFar(path)) return [{ name, path, kind: 'script' }]
  const why = whyNotRun(path)
  return why ? [{ name, path, kind: 'unusable', ...why }] : [{ name, path, kind: 'script' }]
}

/** Why a script cannot be executed; undefined when it can. CTDB itself ignores such scripts in silence. */
export function whyNotRun(path: string): { disabled: boolean; why: string } | undefined {
  let start: string
  try {
    const status = statSync(path)
    // the owner's bit decides, as with ctdb-eventd
    if ((status.mode & 0o100) === 0)
      return { disabled: true, why: `${path} is not executable: "chmod u+x" enables it` }
    // reading a pipe would never end
    if (!status.isFile()) return { disabled: false, why: `${path} cannot run: it is no file` }
    start = startOf(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    const gone = code === 'ENOENT'
    return {
      disabled: gone,
      why: `${path}: ${gone ? 'a dangling link: remove it, or repair its target' : code}`,
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

/** The first 256 bytes of a file, in which the kernel looks for the interpreter. */
function startOf(path: string): string {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(256)
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

/** The handler in a module. Throws a Refusal when the module has none. */
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

/** The act of a handler at an event of that name; undefined when it has none. `toString` and its kin are no acts. */
export function actOf(handler: Handler, event: string): Act | undefined {
  const act: unknown = event in Object.prototype ? undefined : handler[event as keyof Handler]
  return typeof act === 'function' ? (act as Act) : undefined
}
