#!/bin/sh
# yargs 17.7.2 (cliui 8.0.1), node 20: the same program has other help as an ES module than as CommonJS. cliui's ES module
# build has a wrapper of its own that breaks a description after so many letters, inside a word; the CommonJS build and
# yargs 18.0.0 break between words. So help is unreadable just for those who moved to `import`. Seen at a width of 60:
#   import, 17.7.2:   --state  the directory that holds the state of every addre
#                              ss between two runs of the program       [string]
#   require, 17.7.2:  --state  the directory that holds the state of every
#   both, 18.0.0:              address between two runs of the program  [string]
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
npm install --prefix "$tmp" --no-audit --no-fund --silent seventeen@npm:yargs@17.7.2 eighteen@npm:yargs@18.0.0 \
	>/dev/null || cannot "npm cannot install yargs 17.7.2 and 18.0.0"

program="
yargs(['--help']).scriptName('tool').usage('\$0 [options]').wrap(60).version(false).option('state', {
  type: 'string', describe: 'the directory that holds the state of every address between two runs of the program',
}).parse()"
cd "$tmp"
for major in seventeen eighteen; do
	echo "import yargs from '$major'$program" >$major.mjs
	echo "const yargs = require('$major')$program" >$major.cjs
done

changed=
check() { # FILE whole|cut
	help=$(LC_ALL=C node "$1") || cannot "$1 does not run"
	printf '%s:\n%s\n\n' "$1" "$help"
	case $help in
	*' address '* | *' address'?*) seen='whole' ;;
	*addre*) seen='cut' ;;
	*) seen='nothing' ;;
	esac
	[ $seen = "$2" ] || changed="$changed $1: the word is $seen, it was $2;"
}
check seventeen.mjs cut
check seventeen.cjs whole
check eighteen.mjs whole
check eighteen.cjs whole
[ -z "$changed" ] || { echo "changed:$changed" && exit 1; }
