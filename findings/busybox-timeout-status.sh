#!/bin/sh
# busybox 1.35.0 (Debian 12's busybox-static): `timeout` is not coreutils' (9.1) `timeout` in what its caller sees.
# - A program that is still there at the limit: status 143, not 124: a script that asks for 124 takes it for a failure.
# - A program that catches TERM and ends with 0: status 0, not 124: a script takes what was cut short for done.
# - Only the program itself gets the signal, not its children: they run on, and a pipe to them stays open.
# Seen, with a limit of 1 s:                           busybox   coreutils
#   status                                             143       124
#   status of one that ends with 0 upon TERM           0         124
#   pipe that a child holds for 4 s is closed          late      at the limit
# Ends with 0: still so; 1: it has changed; 2: it cannot be run here.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

cannot() {
	echo "cannot be run here: $1" >&2
	exit 2
}
command -v apt-get >/dev/null || cannot "apt-get is missing"
cd "$tmp"
mkdir -p lists/partial cache/archives/partial
apt() { apt-get -qq -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root "$@"; }
{ apt update && apt download 'busybox-static=1:1.35.0-4+deb12u1+b1'; } ||
	cannot "apt has no busybox-static 1:1.35.0-4+deb12u1+b1"
dpkg-deb -x busybox-static_*.deb root

changed=
check() { # WHAT SEEN EXPECTED
	echo "$1: $2"
	[ "$2" = "$3" ] || changed="$changed $1: $2, it was $3;"
}
status() {
	code=0
	{ "$@" || code=$?; } 2>/dev/null
	echo $code
}
open() { # whether the pipe is closed at the limit or when the child ends
	start=$(date +%s)
	{ "$@" | cat; } 2>/dev/null
	[ $(($(date +%s) - start)) -ge 3 ] && echo late || echo "at the limit"
}
compare() { # WHOSE STATUS STATUS PIPE TIMEOUT…
	whose=$1 plain=$2 polite=$3 pipe=$4
	shift 4
	check "$whose: status" "$(status "$@" 1 sleep 5)" "$plain"
	check "$whose: status of one that ends with 0 upon TERM" \
		"$(status "$@" 1 sh -c 'trap "exit 0" TERM; sleep 3 >/dev/null & wait')" "$polite"
	check "$whose: pipe that a child holds for 4 s is closed" "$(open "$@" 1 sh -c 'sleep 4; true')" "$pipe"
}
compare busybox 143 0 late root/bin/busybox timeout
compare coreutils 124 124 'at the limit' timeout
[ -z "$changed" ] || { echo "changed:$changed" && exit 1; }
