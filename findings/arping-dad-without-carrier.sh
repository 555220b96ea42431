#!/bin/sh
# iputils-arping 20221126 (Debian 12): duplicate address detection on an interface whose cable is out says that nobody has
# the address: `arping -D` counts a probe that never left as sent, and ends with 0 as if the link had been asked.
#   ip link show:      state LOWERLAYERDOWN
#   arping -D          Sent 1 probes (1 broadcast(s)) / Received 0 response(s), status 0
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
command -v ip >/dev/null || cannot "ip is missing"
unshare -Urn true || cannot "no network namespace can be made"
cd "$tmp"
mkdir -p lists/partial cache/archives/partial
apt() { apt-get -qq -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root "$@"; }
{ apt update && apt download iputils-arping=3:20221126-1+deb12u1 libcap2; } ||
	cannot "apt has no iputils-arping 3:20221126-1+deb12u1"
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$tmp"/root/lib/*-linux-gnu "$tmp"/root/usr/lib/*-linux-gnu | tr ' ' :)
export LD_LIBRARY_PATH PATH="$tmp/root/usr/bin:$PATH"
cat >look <<'SCRIPT'
ip link add v0 type veth peer name v1
ip link set v0 up
ip link show v0 | grep -o 'state [A-Z]*'
arping -D -c 1 -w 1 -I v0 192.0.2.1
echo "status $?"
SCRIPT
seen=$(unshare -Urn sh look) || cannot "arping or ip fails in a network namespace"
echo "$seen"
expected='state LOWERLAYERDOWN
ARPING 192.0.2.1 from 0.0.0.0 v0
Sent 1 probes (1 broadcast(s))
Received 0 response(s)
status 0'
[ "$seen" = "$expected" ] || { echo "changed: the answers are not those at the head of this file" && exit 1; }
