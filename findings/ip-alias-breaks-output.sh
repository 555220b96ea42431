#!/bin/sh
# iproute2 6.1.0 (Debian 12): a network device's description (`ip link set … alias`) breaks three forms of `ip` that programs
# rely on:
#   ip -json link show      an escape character is printed raw: the whole answer, for all devices, is no JSON
#   ip -o link show         a line feed is printed as such: "one line for each record" has two
#   ip -batch               a # inside quotes begins a comment: "Unterminated quoted string", and the batch ends
# A tab and a line feed are escaped in JSON.
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
unshare -Urn true || cannot "no network namespace can be made"
cd "$tmp"
mkdir -p lists/partial cache/archives/partial
apt() { apt-get -qq -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root "$@"; }
{ apt update && apt download iproute2=6.1.0-3 libbpf1 libelf1 libmnl0 libbsd0 libmd0 libcap2; } ||
	cannot "apt has no iproute2 6.1.0-3"
for package in *.deb; do dpkg-deb -x "$package" root; done
libraries=$(echo "$tmp"/root/lib/*-linux-gnu "$tmp"/root/usr/lib/*-linux-gnu | tr ' ' :)
in_namespace() { LD_LIBRARY_PATH=$libraries PATH="$tmp/root/bin:$PATH" unshare -Urn "$@"; }

command -v node >/dev/null || cannot "node is missing"
cat >tell.cjs <<'PROGRAM'
try {
  JSON.parse(require('fs').readFileSync(0, 'utf8'))
  console.log('JSON')
} catch {
  console.log('no JSON')
}
PROGRAM
cat >look <<'SCRIPT'
set -e
ip link add br0 type bridge
ip link set br0 alias "$(printf 'rack\t4')"
echo "tab: $(ip -json link show | node tell.cjs)"
ip link set br0 alias "$(printf 'rack \033[1m4')"
echo "escape: $(ip -json link show | node tell.cjs)"
ip link set br0 alias "$(printf 'rack\n4')"
echo "lines of -o: $(ip -o link show br0 | wc -l)"
echo 'link set br0 alias "rack # 4"' | ip -batch - >said 2>&1 || true
echo "batch: $(cat said)"
SCRIPT
seen=$(in_namespace sh look) || cannot "ip fails in a network namespace"
echo "$seen"
expected='tab: JSON
escape: no JSON
lines of -o: 2
batch: Unterminated quoted string'
[ "$seen" = "$expected" ] || { echo "changed: the answers are not those at the head of this file" && exit 1; }
