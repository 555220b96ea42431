// A lint rule: a folder of runner/ imports from its own layer and those below it, never from one above.

/** From the highest to the lowest; folders in one row may import each other. */
export const LAYERS = [
  ['bin'],
  ['cli'],
  ['inspect', 'install', 'eventd'],
  ['engine', 'resident'],
  ['net'],
  ['node'],
  ['machine'],
  ['inet', 'format'],
  ['base'],
]

/** Files of runner/ itself: the command's old path, and what a handler may use. */
const LOOSE = { 'main.ts': 0, 'handler.ts': 3 }

const ORDER = LAYERS.map((row) => row.join(', ')).join(' > ')

/** The number of the layer of `runner/eventd/log.ts`, from 0; undefined for what is not of runner/. */
export function layerOf(path) {
  const [, first = '', rest] = /(?:^|\/)runner\/([^/]+)(\/.*)?$/.exec(path) ?? []
  if (first === '') return undefined
  if (rest === undefined) return LOOSE[first]
  const found = LAYERS.findIndex((row) => row.includes(first))
  return found < 0 ? undefined : found
}

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
          const specifier = node.source?.value
          if (typeof specifier !== 'string' || !specifier.startsWith('.')) return
          const other = layerOf(resolve(file, specifier))
          const message =
            own === undefined || other === undefined
              ? `${own === undefined ? file : specifier} is in no layer of runner/: name its folder in scripts/lint/layers.mjs`
              : other < own && `${specifier} lies in a layer above this file: ${ORDER}`
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
