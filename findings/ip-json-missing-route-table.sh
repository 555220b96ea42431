#!/bin/sh
# iproute2 6.1.0 (Debian 12), kernel 6.18: `ip -json route show table N`, where N never had a route, is a failure and half
# a JSON text when it is run by itself, and an empty list and a success as a line of `ip -batch`: by itself, ip asks the
# kernel for strict checks (NETLINK_GET_STRICT_CHK), in a batch it does not. Once a route was in the table both say [].
# So a batch cannot tell "no such table" from "empty table", and output of the single command must not be parsed before
# its status is known. 6.15.0 and 7.3.0 close the list, the two statuses are as here. Seen:
#   by itself: [ status 2 Error: ipv4: FIB table does not exist.
#   by itself, -6: [ status 2 Error: ipv6: FIB table does not exist.
#   in a batch: [] status 0
#   after a route came and went: [] status 0
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

cat >look <<'SCRIPT'
tell() { # NAME COMMAND…
	name=$1 code=0
	shift
	out=$("$@" 2>error) || code=$?
	echo "$name: $out status $code$(sed -n '1s/^/ /p' error)"
}
ip link set lo up
echo 'route show table 5' >batch
tell 'by itself' ip -json route show table 5
tell 'by itself, -6' ip -json -6 route show table 5
tell 'in a batch' ip -json -batch batch
ip route add 192.0.2.0/24 dev lo table 5
ip route del 192.0.2.0/24 dev lo table 5
tell 'after a route came and went' ip -json route show table 5
SCRIPT
seen=$(in_namespace sh look) || cannot "ip fails in a network namespace"
echo "$seen"
[ "$seen" = 'by itself: [ status 2 Error: ipv4: FIB table does not exist.
by itself, -6: [ status 2 Error: ipv6: FIB table does not exist.
in a batch: [] status 0
after a route came and went: [] status 0' ] || { echo "changed: the answers are not those at the head of this file" && exit 1; }
