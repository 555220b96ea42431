#!/bin/sh
# tap 21.8.0 with typescript 7.0.2, node 20: npm installs both, and then no test file runs any more, also
# none that is plain JavaScript. tap preloads its TypeScript loader for every file; the loader takes the project's
# typescript, and version 7 has no compiler API. With typescript 5.9.3 the same file passes. What helps with 7 is to have
# tests compiled, and in .taprc `test-env: [TAP_TYPE_STRIP_ONLY=1]`. Seen for a JavaScript file with one assertion:
#   7.0.2:                          TypeError: Cannot read properties of undefined (reading 'fileExists')
#                                   not ok 1 - a.test.js
#   7.0.2, TAP_TYPE_STRIP_ONLY=1:   ok 1 - a.test.js
#   5.9.3:                          ok 1 - a.test.js
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
echo "import t from 'tap'
t.equal(1, 1)" >a.test.js
install() {
	npm install --prefix "$tmp" --no-audit --no-fund --silent tap@21.8.0 "typescript@$1" >/dev/null ||
		cannot "npm cannot install tap 21.8.0 beside typescript $1"
}

changed=
check() { # NAME ok|"not ok", and what the error says
	out=$(node_modules/.bin/tap --disable-coverage --reporter=tap a.test.js 2>&1) || true
	seen=$(echo "$out" | grep -m 1 -oE '^(not )?ok 1' | sed 's/ 1$//')
	error=$(echo "$out" | grep -m 1 '^TypeError' || true)
	echo "$1: ${seen:-nothing} $error"
	[ "$seen" = "$2" ] || changed="$changed $1: ${seen:-nothing}, it was $2;"
	case $error in *"$3"*) ;; *) changed="$changed $1: another error;" ;; esac
}
install 7.0.2
check 'typescript 7.0.2' 'not ok' "reading 'fileExists'"
echo 'test-env: [TAP_TYPE_STRIP_ONLY=1]' >.taprc
check 'typescript 7.0.2, TAP_TYPE_STRIP_ONLY=1' ok ''
rm .taprc
install 5.9.3
check 'typescript 5.9.3' ok ''
[ -z "$changed" ] || { echo "changed:$changed" && exit 1; }
