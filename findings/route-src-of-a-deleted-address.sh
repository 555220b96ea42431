#!/bin/sh
# Kernel 6.18, iproute2 6.1.0 (Debian 12): what becomes of a route with `src ADDRESS` when that address is deleted. The IPv4 route
# is deleted with the address, also a default route whose gateway is reached by another address of the interface, and nobody is
# told: the host has no way out any more. The IPv6 route stays, and loses only its `src`. Adding the address again brings
# nothing back, in both families. Seen:
#   IPv4 before: default via 192.0.2.1 dev d0 src 192.0.2.9
#   IPv4 after:
#   IPv6 before: default via 2001:db8::1 dev d0 src 2001:db8::9 metric 1024
#   IPv6 after: default via 2001:db8::1 dev d0 metric 1024
#   IPv4 with the address again:
#   IPv6 with the address again: default via 2001:db8::1 dev d0 metric 1024
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
tell() { echo "$1: $(ip "$2" route show default | sed 's/ pref medium//; s/ *$//')"; }
set -e
ip link add d0 type veth peer name d1
ip link set d1 up
ip link set d0 up
for each in 192.0.2.2/24 192.0.2.9/24; do ip addr add "$each" dev d0; done
for each in 2001:db8::2/64 2001:db8::9/64; do ip addr add "$each" dev d0 nodad; done
ip route add default via 192.0.2.1 src 192.0.2.9
ip -6 route add default via 2001:db8::1 src 2001:db8::9
tell 'IPv4 before' -4
ip addr del 192.0.2.9/24 dev d0
tell 'IPv4 after' -4
tell 'IPv6 before' -6
ip addr del 2001:db8::9/64 dev d0
tell 'IPv6 after' -6
ip addr add 192.0.2.9/24 dev d0
ip addr add 2001:db8::9/64 dev d0 nodad
tell 'IPv4 with the address again' -4
tell 'IPv6 with the address again' -6
SCRIPT
seen=$(in_namespace sh look) || cannot "ip fails in a network namespace"
echo "$seen"
[ "$seen" = 'IPv4 before: default via 192.0.2.1 dev d0 src 192.0.2.9
IPv4 after: 
IPv6 before: default via 2001:db8::1 dev d0 src 2001:db8::9 metric 1024
IPv6 after: default via 2001:db8::1 dev d0 metric 1024
IPv4 with the address again: 
IPv6 with the address again: default via 2001:db8::1 dev d0 metric 1024' ] ||
	{ echo "changed: the answers are not those at the head of this file" && exit 1; }
