#!/bin/sh
# iproute2 6.1.0 (Debian 12): in one `ip -batch` process, `link show` makes every later `addr show` answer without
# addresses: no error, status 0, and in JSON the field addr_info is not there at all, as if the interface had none. Text
# and JSON alike; 6.15.0 and 7.3.0 do the same. So a long-lived `ip -batch -` must not be asked for both: `addr show`
# tells of the link, too. Seen for `addr show dev lo`, `link show dev lo`, `addr show dev lo`:
#   1: addr_info of 2   2: no addr_info   3: no addr_info
# Ends with 0: still so; 1: it has changed; 2: it cannot be run here.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

cannot() {
	echo "cannot be run here: $1" >&2
	exit 2
}
command -v node >/dev/null || cannot "node is missing"
command -v apt-get >/dev/null || cannot "apt-get is missing"
unshare -Urn true || cannot "no network namespace can be made"
cd "$tmp"
mkdir -p lists/partial cache/archives/partial
apt() { apt-get -qq -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root "$@"; }
{ apt update && apt download iproute2=6.1.0-3 libbpf1 libelf1 libmnl0 libbsd0 libmd0 libcap2; } ||
	cannot "apt has no iproute2 6.1.0-3"
for package in *.deb; do dpkg-deb -x "$package" root; done
libraries=$(echo "$tmp"/root/lib/*-linux-gnu "$tmp"/root/usr/lib/*-linux-gnu | tr ' ' :)
in_namespace() { LD_LIBRARY_PATH=$libraries PATH="$tmp/root/bin:$PATH" unshare -Urn "$@"; }

printf '%s\n' 'addr show dev lo' 'link show dev lo' 'addr show dev lo' >questions
in_namespace sh -c 'ip link set lo up && ip -json -batch questions' >answers || cannot "ip -batch fails"
cat >count.cjs <<'PROGRAM'
const lines = require('fs').readFileSync('answers', 'utf8').split('\n').filter(line => line !== '')
const counts = lines.map(line => JSON.parse(line)[0].addr_info?.length)
console.log(counts.map((n, i) => `${i + 1}: ${n === undefined ? 'no addr_info' : `addr_info of ${n}`}`).join('   '))
PROGRAM
seen=$(node count.cjs)
echo "$seen"
[ "$seen" = '1: addr_info of 2   2: no addr_info   3: no addr_info' ] ||
	{ echo "changed: the answers are not those at the head of this file" && exit 1; }
