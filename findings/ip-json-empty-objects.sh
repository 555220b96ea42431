#!/bin/sh
# iproute2 6.1.0 (Debian 12): `ip -json addr show to PREFIX` (`primary` and `label`, too) has an empty object in addr_info
# for each address that the filter leaves out: the list is as long as without a filter, and `local` is undefined in those.
# Text output has nothing in their place. 6.15.0 and 7.3.0 do the same. Seen for lo:
#   ip -json addr show dev lo                  127.0.0.1 192.0.2.1 192.0.2.2 ::1
#   ip -json addr show dev lo to 192.0.2.2     {} {} 192.0.2.2
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

cat >look <<'SCRIPT'
set -e
ip link set lo up
ip addr add 192.0.2.1/32 dev lo
ip addr add 192.0.2.2/32 dev lo
ip -json addr show dev lo >all
ip -json addr show dev lo to 192.0.2.2 >one
SCRIPT
in_namespace sh look || cannot "ip fails in a network namespace"
cat >tell.cjs <<'PROGRAM'
const [{ addr_info: list }] = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'))
console.log(list.map(entry => entry.local ?? JSON.stringify(entry)).join(' '))
PROGRAM
all=$(node tell.cjs all)
one=$(node tell.cjs one)
printf 'addr show dev lo: %s\naddr show dev lo to 192.0.2.2: %s\n' "$all" "$one"
[ "$all / $one" = '127.0.0.1 192.0.2.1 192.0.2.2 ::1 / {} {} 192.0.2.2' ] ||
	{ echo "changed: the answers are not those at the head of this file" && exit 1; }
