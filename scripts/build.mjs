// After tsc: the programs that CTDB calls, each in one file, so that node has one file to load and not two hundred.
// A bundled start takes 1.7 times a bare `node -e 0`, an unbundled one 2.6 times.
import { build } from 'esbuild'
import { chmod, copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
}

await mkdir('dist/runner/libexec', { recursive: true })
for (const helper of await readdir('runner/libexec')) {
  await copyFile(`runner/libexec/${helper}`, `dist/runner/libexec/${helper}`)
  await chmod(`dist/runner/libexec/${helper}`, 0o755)
}

/** A program of one file has the helper that it starts in itself: a copy of a handler works alone. */
const asked = 'wire-question.pl'
const embedded = { [asked]: await readFile(`runner/libexec/${asked}`, 'utf8') }
const withHelpers = {
  define: { EMBEDDED: JSON.stringify(embedded) },
  logOverride: { 'empty-import-meta': 'silent' },
}

const declarations = {}
for (const file of await readdir('events.d')) {
  const name = /^(\d\d\..*)\.ts$/.exec(file)?.[1]
  if (!name) continue
  const script = `dist/events.d/${name}.script`
  const contents = `import handler from './events.d/${file}'; import { oneShot } from './runner/bin/script.ts'; void oneShot(handler, __filename)`
  await build({
    ...common,
    ...withHelpers,
    stdin: { contents, resolveDir: '.', loader: 'ts' },
    outfile: script,
  })
  await chmod(script, 0o755)
  const { about, when, leaves } = (await import(resolve(`dist/events.d/${name}.js`))).default
  declarations[name] = { about, when, leaves }
  // NN.name.script is CommonJS, as node loads no other kind by that ending; so the module needs an ending of its own
  await rename(`dist/events.d/${name}.js`, `dist/events.d/${name}.mjs`)
}
// install and the last act know handlers by their declarations, without loading a module
await writeFile('dist/events.d/handlers.json', `${JSON.stringify(declarations, undefined, 2)}\n`)
await writeFile('dist/events.d/package.json', '{ "type": "commonjs" }\n')

// ctdbd starts this one; it finds our modules beside itself, through whatever link it is called by
await writeFile(
  'dist/ctdb-eventd',
  '#!/bin/sh\nexec node --max-semi-space-size=4 "$(dirname "$(readlink -f "$0")")/runner/bin/ctdb-eventd.js" "$@"\n',
)
await chmod('dist/ctdb-eventd', 0o755)

const announce = `import { announcer } from './runner/bin/announce.ts'; void announcer('announce', __filename, process.argv.slice(2))`
await build({
  ...common,
  ...withHelpers,
  stdin: { contents: announce, resolveDir: '.', loader: 'ts' },
  outfile: 'dist/announce.cjs',
})
await chmod('dist/announce.cjs', 0o755)
await chmod('dist/runner/main.js', 0o755)

// the daemon's path until this version: files that install has written where ctdbd finds no node have it
await mkdir('dist/runner/daemon')
await writeFile('dist/runner/daemon/main.js', "import '../bin/ctdb-eventd.js'\n")

// The event daemon's own folders go into its program: each module costs a process that stays 30 kB. Whatever handlers may
// import stays a module of its own, as the daemon and its handlers must share one Refusal.
const DAEMONS = /\/dist\/runner\/(?:bin|engine|eventd|install|resident)\//
const daemon = 'dist/runner/bin/ctdb-eventd.js'
const sharedStay = {
  name: 'shared modules stay',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const file = resolve(resolveDir, path)
      return DAEMONS.test(file) ? undefined : { path: relative(resolve(daemon, '..'), file), external: true }
    })
  },
}
await build({
  ...common,
  minifySyntax: false,
  minifyWhitespace: false,
  format: 'esm',
  banner: {},
  packages: 'external',
  entryPoints: [daemon],
  plugins: [sharedStay],
  outfile: daemon,
  allowOverwrite: true,
})
