#!/bin/sh
# yargs 18.0.0 with esbuild 0.28.2, node 20: a CommonJS bundle of yargs 18 is made without a warning and ends with an
# error as soon as it is started; yargs 17.7.2 in the same bundle works. yargs 18 calls createRequire(import.meta.url);
# esbuild leaves import.meta empty in CommonJS, and its warning about that is not given for files below node_modules.
# An ES module bundle (--format=esm) of yargs 18 works. Seen at the start of the CommonJS bundle:
#   TypeError [ERR_INVALID_ARG_VALUE]: The argument 'filename' must be a file URL object, file URL string, or absolute
#   path string. Received undefined
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
npm install --prefix "$tmp" --no-audit --no-fund --silent esbuild@0.28.2 seventeen@npm:yargs@17.7.2 \
	eighteen@npm:yargs@18.0.0 >/dev/null || cannot "npm cannot install esbuild 0.28.2, yargs 17.7.2 and 18.0.0"
cd "$tmp"

changed=
check() { # MAJOR cjs|esm works|fails
	case $2 in cjs) file=$1.cjs ;; esm) file=$1.mjs ;; esac
	echo "import yargs from '$1'
yargs(['take', '192.0.2.1']).command('take <address>', 'take it', {}, a => console.log('taken', a.address)).parse()" >cli.mjs
	said=$(node_modules/.bin/esbuild cli.mjs --bundle --platform=node --format="$2" --outfile="$file" \
		--log-level=warning 2>&1) || cannot "esbuild makes no $file: $said"
	seen=works
	out=$(node "$file" 2>&1) || seen=fails
	printf '%s: esbuild warns: %s; it %s: %s\n' "$file" "${said:-nothing}" $seen "$(echo "$out" | grep -m 1 -E '^(taken|TypeError)')"
	[ $seen = "$3" ] || changed="$changed $file $seen;"
	[ -z "$said" ] || changed="$changed esbuild warns about $file;"
	[ $seen = works ] || case $out in *ERR_INVALID_ARG_VALUE*) ;; *) changed="$changed another error in $file;" ;; esac
}
check seventeen cjs works
check eighteen cjs fails
check eighteen esm works
[ -z "$changed" ] || { echo "changed:$changed" && exit 1; }
