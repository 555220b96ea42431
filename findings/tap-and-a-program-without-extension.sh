#!/bin/sh
# tap 21.8.0 with oxfmt 0.79.0, node 20.20: a test cannot start a program that is an ES module without an extension, as
# bin/oxfmt is. tap hooks into every node that a test starts, through NODE_OPTIONS; with the hooks node takes such a file
# for CommonJS, then finds a module, and ends. An empty NODE_OPTIONS among the options of spawn does not help, as tap sets the
# variable again; `env -u NODE_OPTIONS` before the program does. Seen for `oxfmt --check` of a well formatted file:
#   by itself:                            0
#   in a test:                            1 ERR_REQUIRE_CYCLE_MODULE
#   in a test, NODE_OPTIONS empty:        1 ERR_REQUIRE_CYCLE_MODULE
#   in a test, by env -u NODE_OPTIONS:    0
# Ends with 0: still so; 1: it has changed; 2: it cannot be run here.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

cannot() {
	echo "cannot be run here: $1" >&2
	exit 2
}
command -v npm >/dev/null || cannot "npm is missing"
cd "$tmp"
echo '{ "type": "module" }' >package.json
npm install --no-audit --no-fund --silent tap@21.8.0 oxfmt@0.79.0 typescript@5.9.3 >/dev/null ||
	cannot "npm cannot install tap 21.8.0, oxfmt 0.79.0 and typescript 5.9.3"
echo 'const a = 1;' >good.js
cat >a.test.js <<'TEST'
import t from 'tap'
import { spawnSync } from 'node:child_process'
const oxfmt = ['node_modules/.bin/oxfmt', '--check', 'good.js']
const start = (name, [program, ...words], env) => {
  const { status, stderr } = spawnSync(program, words, { env: { ...process.env, ...env }, encoding: 'utf8' })
  console.log(`seen ${name}: ${status} ${/\[(ERR_[A-Z_]+)\]/.exec(stderr)?.[1] ?? ''}`)
}
start('in a test', oxfmt)
start('in a test, NODE_OPTIONS empty', oxfmt, { NODE_OPTIONS: '' })
start('in a test, by env -u NODE_OPTIONS', ['env', '-u', 'NODE_OPTIONS', ...oxfmt])
t.pass('seen')
TEST

alone=0
node_modules/.bin/oxfmt --check good.js >/dev/null 2>&1 || alone=$?
seen=$(node_modules/.bin/tap --disable-coverage --reporter=tap a.test.js 2>&1 | sed -n 's/^ *seen //p' | sed 's/ *$//')
seen="by itself: $alone
$seen"
expected='by itself: 0
in a test: 1 ERR_REQUIRE_CYCLE_MODULE
in a test, NODE_OPTIONS empty: 1 ERR_REQUIRE_CYCLE_MODULE
in a test, by env -u NODE_OPTIONS: 0'
echo "$seen"
[ "$seen" = "$expected" ] || { echo "changed: it was: $expected" && exit 1; }
