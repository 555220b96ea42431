// A lint rule: a folder of runner/ imports from its own layer and those below it, never from one above.

/** From the highest to the lowest; only folders in one row may import each other. `net` means the files of that folder itself. */
export const LAYERS = [
  ['bin'],
  ['cli/act', 'cli/judge', 'cli/setup', 'cli/show'],
  ['cli'],
  ['inspect/why'],
  ['inspect/audit', 'inspect/check', 'inspect/doctor', 'inspect/health'],
  ['inspect/doctor/beside'],
  ['inspect/cluster'],
  ['inspect'],
  ['eventd'],
  ['eventd/last-act', 'eventd/server'],
  ['eventd/run'],
  ['eventd/hung'],
  ['eventd/conf', 'eventd/process', 'eventd/protocol'],
  ['install'],
  ['install/trust'],
  ['engine', 'engine/history', 'resident'],
  ['resident/batch', 'resident/locks'],
  ['resident/programs'],
  ['net/move'],
  ['net/routing/upkeep'],
  ['net/lvs', 'net/routing'],
  ['net/routing/plan'],
  ['net/routing/kernel', 'net/routing/wanted'],
  ['net/routing/names'],
  ['net/announce'],
  ['net/clients', 'net/dad'],
  ['net/address'],
  ['net/ctdb'],
  ['net/sysctl'],
  ['net'],
  ['node'],
  ['machine/recording/redact'],
  ['machine/recording'],
  ['machine/live'],
  ['machine/live/locks'],
  ['machine/files'],
  ['machine'],
  ['machine/remedy'],
  ['format', 'inet'],
  ['base'],
]

const rowOf = (folder) => LAYERS.findIndex((row) => row.includes(folder))

/** Files of runner/ itself: the command's old path, and what a handler may use. */
const LOOSE = { 'main.ts': rowOf('bin'), 'handler.ts': rowOf('net/move') }

/** The number of the layer of `runner/eventd/conf/log.ts`, from 0; undefined for a folder that has none. */
export function layerOf(path) {
  const [, inside] = /(?:^|\/)runner\/(.+)$/.exec(path) ?? []
  if (inside === undefined) return undefined
  const found = inside.includes('/') ? rowOf(inside.replace(/\/[^/]*$/, '')) : (LOOSE[inside] ?? -1)
  return found < 0 ? undefined : found
}

/** Some rows of the list, for a message. */
const asText = (rows) => rows.map((row) => row.join(', ')).join(' > ')

function resolve(file, specifier) {
  const parts = file.split('/').slice(0, -1)
  for (const part of specifier.split('/'))
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  return parts.join('/')
}

export default {
  meta: { name: 'house' },
  rules: {
    layers: {
      create(context) {
        const file = context.filename
        const own = layerOf(file)
        const check = (node) => {
          const specifier = node.source?.value ?? node.source?.quasis?.[0]?.value.cooked
          if (typeof specifier !== 'string' || !specifier.startsWith('.')) return
          const other = layerOf(resolve(file, specifier))
          const message =
            own === undefined || other === undefined
              ? `${own === undefined ? file : specifier} is in no layer of runner/: name its folder in scripts/lint/layers.mjs`
              : other < own &&
                `${specifier} lies in a layer above this file: ${asText(LAYERS.slice(other, own + 1))}`
          if (message) context.report({ node, message })
        }
        return {
          ImportDeclaration: check,
          ExportNamedDeclaration: check,
          ExportAllDeclaration: check,
          ImportExpression: check,
          TSImportType: check,
        }
      },
    },
  },
}
