#!/bin/sh
# iproute2 6.1.0 (Debian 12): `ip` reads the numbers of an IPv4 address and its prefix length as C does, and fills a short
# address from the left. What other programs refuse or read otherwise becomes another address, without a warning:
#   ip addr add 010.0.0.1/8          8.0.0.1/8         (octal; inet_pton refuses)
#   ip addr add 192.168.010.1/24     192.168.8.1/24
#   ip addr add 0x0b.1.1.1/024       11.1.1.1/20       (the prefix length is octal, too)
#   ip addr add 14.1/32              14.1.0.0/32       (getaddrinfo and ping say 14.0.0.1)
#   ip rule add … lookup 0100        lookup 64
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
set -e
for address in 010.0.0.1/8 192.168.010.1/24 0x0b.1.1.1/024 14.1/32; do ip addr add $address dev lo; done
ip -4 -o addr show dev lo | awk '{ print $4 }'
ip rule add from 8.1.1.1 lookup 0100 pref 0100
ip rule show pref 64
SCRIPT
seen=$(in_namespace sh look) || cannot "ip fails in a network namespace"
echo "$seen"
expected='8.0.0.1/8
192.168.8.1/24
11.1.1.1/20
14.1.0.0/32
64:	from 8.1.1.1 lookup 64'
[ "$seen" = "$expected" ] || { echo "changed: the answers are not those at the head of this file" && exit 1; }
other=$(getent ahostsv4 14.1 | awk '{ print $1; exit }')
echo "getaddrinfo of 14.1: $other"
[ "$other" = 14.0.0.1 ] || { echo "changed: getaddrinfo reads 14.1 as $other" && exit 1; }
