#!/bin/sh
# typescript 7.0.2 and 5.9.3: in tsconfig.json, "include": ["events.d"] takes nothing out of a folder of that name, as a
# last part with a dot is read as a file's name; "events.d/" with the slash does not either; the same words in "exclude"
# do mean the folder. With another entry that finds a file there is no error: what is in the folder is not checked, and
# tsc ends with 0. "events.d/*" works. Seen, for events.d/a.ts with a type error and src/b.ts without:
#   "include": ["src", "events.d"]      passes
#   "include": ["src", "events.d/"]     passes
#   "include": ["src", "events.d/*"]    events.d/a.ts(1,14): error TS2322
#   "exclude": ["events.d"]             passes
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
npm install --prefix "$tmp" --no-audit --no-fund --silent five@npm:typescript@5.9.3 seven@npm:typescript@7.0.2 \
	>/dev/null || cannot "npm cannot install typescript 5.9.3 and 7.0.2"
cd "$tmp"
mkdir events.d src
echo "export const n: number = 'no'" >events.d/a.ts
echo 'export const n = 1' >src/b.ts

changed=
check() { # TYPESCRIPT FILES passes|refuses
	echo "{ \"compilerOptions\": { \"noEmit\": true, \"types\": [] }, $2 }" >tsconfig.json
	seen=passes
	out=$(node "node_modules/$1/bin/tsc") || seen=refuses
	echo "$1: $2: $seen $out"
	[ $seen = "$3" ] || changed="$changed $1 $seen $2;"
	case $seen$out in passes | *'events.d/a.ts(1,14): error TS2322'*) ;; *) changed="$changed $1 says something else for $2;" ;; esac
}
for typescript in five seven; do
	check $typescript '"include": ["src", "events.d"]' passes
	check $typescript '"include": ["src", "events.d/"]' passes
	check $typescript '"include": ["src", "events.d/*"]' refuses
	check $typescript '"exclude": ["events.d"]' passes
done
[ -z "$changed" ] || { echo "changed:$changed" && exit 1; }
