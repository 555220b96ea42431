#!/bin/sh
# tap 21.8.0 (tcompare 9.3.2), node 20: two tests that cannot fail.
# - t.match passes for any two Dates; tcompare's README promises to compare their values.
# - t.same and t.strictSame pass for any two URLs, as a URL has no fields of its own; node's assert tells them apart.
# By the side of these: t.match takes an empty list as the pattern of every list, and ['a'] as one of ['a', 'b'].
# t.same for dates and lists, and t.equal of url.href, do see the difference. Seen:
#   ok 1 - match: 2026 is 2031
#   ok 2 - strictSame: another host
#   ok 3 - same: another host
#   ok 4 - match: ['a', 'b'] is []
#   not ok 5 - same: 2026 is 2031
#   not ok 6 - match: the strings of two dates
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
npm install --prefix "$tmp" --no-audit --no-fund --silent tap@21.8.0 >/dev/null || cannot "npm cannot install tap 21.8.0"
cd "$tmp"

cat >values.mjs <<'TEST'
import t from 'tap'
const [now, later] = [new Date('2026-01-01'), new Date('2031-05-05')]
const [here, there] = [new URL('http://a.example/x'), new URL('http://b.example/y')]
t.match({ when: now }, { when: later }, 'match: 2026 is 2031')
t.strictSame(here, there, 'strictSame: another host')
t.same({ at: here }, { at: there }, 'same: another host')
t.match({ list: ['a', 'b'] }, { list: [] }, "match: ['a', 'b'] is []")
t.same({ when: now }, { when: later }, 'same: 2026 is 2031')
t.match(now.toISOString(), later.toISOString(), 'match: the strings of two dates')
TEST
seen=$(node values.mjs 2>/dev/null | grep -E '^(not )?ok ') || true
echo "$seen"
expected="ok 1 - match: 2026 is 2031
ok 2 - strictSame: another host
ok 3 - same: another host
ok 4 - match: ['a', 'b'] is []
not ok 5 - same: 2026 is 2031
not ok 6 - match: the strings of two dates"
[ "$seen" = "$expected" ] || { echo "changed: tap's verdicts are not those at the head of this file" && exit 1; }
