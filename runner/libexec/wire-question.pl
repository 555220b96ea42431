#!/usr/bin/perl
# Asks the wire which other host has an address: an IPv6 one as the kernel's duplicate check does (RFC 4862), an IPv4 one by ARP
# probes (RFC 5227). A packet socket for all protocols sees a frame before any filter of this node, also one of the ingress hook
# (nft's netdev): nothing hides an answer, also where the address is on this node.
#
#   perl wire-question.pl INTERFACE ADDRESS QUESTIONS MILLISECONDS [MAC...]
#
# So many questions, so far apart. Prints "MAC has it" of the first other host that answers, or that asks for an IPv6 address for
# itself; else "nobody"; "unsent REASON" of a question that does not leave, by a filter of the egress hook. What comes from the
# interface, or from one of the MACs, is no other host's. Any other end means that the question could not be asked: the exit
# status is not 0, and standard error says why.
# No module but strict is loaded, so that it starts in 3 ms.
use strict;

my ($AF_INET, $AF_PACKET, $SOCK_DGRAM, $SOCK_RAW) = (2, 17, 2, 3);
my ($SIOCGIFHWADDR, $SIOCGIFINDEX) = (0x8927, 0x8933);
my ($SOL_SOCKET, $SO_ATTACH_FILTER) = (1, 26);
my $ETH_P_ALL = 3;
my ($ETH_P_ARP, $ETH_P_IP) = (0x0806, 0x0800);
my ($ETH_P_IPV6, $ICMPV6, $SOLICITATION, $ADVERTISEMENT) = (0x86dd, 58, 135, 136);
my $MSG_DONTWAIT = 0x40;

my ($name, $text, $questions, $ms, @ours) = @ARGV;
die "expected INTERFACE ADDRESS QUESTIONS MILLISECONDS [MAC...]\n" unless defined $ms;
my $is_ipv4 = $text =~ /^\d+(?:\.\d+){3}$/;
my $target = $is_ipv4 ? pack 'C4', split /\./, $text : bytes_of($text);
my %is_ours = map { pack('H12', tr/://dr) => 1 } @ours;

# An IPv6 address as 16 bytes.
sub bytes_of {
    my ($head, $tail) = split /::/, $_[0], 2;
    my @head = split /:/, $head;
    my @tail = split /:/, $tail // '';
    my @zeros = (0) x (8 - @head - @tail);
    my $bytes = pack 'n*', map { hex } @head, @zeros, @tail;
    return $_[0] =~ /^[0-9a-f:]+$/ && length $bytes == 16 ? $bytes : die "$_[0]: expected an address\n";
}

# The sum of ICMPv6, with the pseudo header.
sub checksum {
    my ($from, $to, $message) = @_;
    my $sum = 0;
    $sum += $_ for unpack 'n*', $from . $to . pack('NN', length $message, $ICMPV6) . $message;
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}

# The neighbour solicitation of a duplicate check, from nobody to the group of the address.
sub solicitation {
    my ($mac) = @_;
    my $nobody = "\0" x 16;
    my $group = pack('H*', 'ff02000000000000' . '00000001ff') . substr $target, 13;
    my ($head, $rest) = (pack('CC', $SOLICITATION, 0), pack('N', 0) . $target);
    my $message = $head . pack('n', checksum($nobody, $group, $head . "\0\0" . $rest)) . $rest;
    my $packet = pack('NnCC', 6 << 28, length $message, $ICMPV6, 255) . $nobody . $group . $message;
    return "\x33\x33" . substr($group, 12) . $mac . pack('n', $ETH_P_IPV6) . $packet;
}

# An ARP request for the address, from nobody.
sub probe {
    my ($mac) = @_;
    my $head = "\xff" x 6 . $mac . pack('n', $ETH_P_ARP) . pack 'nnCCn', 1, $ETH_P_IP, 6, 4, 1;
    return $head . $mac . "\0" x 4 . "\0" x 6 . $target;
}

# The MAC of a host that says or asks in this frame that the IPv6 address is its own.
sub holder_in {
    my ($frame) = @_;
    my ($from, $kind, $next, $hops) = (substr($frame, 6, 6), unpack 'x12 n x6 C C', $frame);
    return if length $frame < 78 || $kind != $ETH_P_IPV6 || $next != $ICMPV6 || $hops != 255;
    my ($type, $source) = (ord substr($frame, 54, 1), substr $frame, 22, 16);
    return if substr($frame, 62, 16) ne $target;
    return $from if $type == $ADVERTISEMENT || $type == $SOLICITATION && $source eq "\0" x 16;
}

# The same by ARP: the sender of a request or a reply has the address.
sub sender_in {
    my ($frame) = @_;
    return if length $frame < 42 || substr($frame, 12, 8) ne pack 'nnnCC', $ETH_P_ARP, 1, $ETH_P_IP, 6, 4;
    return substr $frame, 22, 6 if substr($frame, 28, 4) eq $target;
}

socket(my $inet, $AF_INET, $SOCK_DGRAM, 0) or die "socket: $!\n";
my $request = pack 'a16x24', $name;
ioctl($inet, $SIOCGIFINDEX, $request) or die "$name: $!\n";
my $index = unpack 'x16i', $request;
$request = pack 'a16x24', $name;
ioctl($inet, $SIOCGIFHWADDR, $request) or die "$name: $!\n";
my ($type, $mac) = unpack 'x16Sa6', $request;
die "$name is no Ethernet\n" if $type != 1;
$is_ours{$mac} = 1;

# A busy link fills the socket with frames of others, and the answer is lost: the kernel passes on no other frames.
my @of_no_vlan = ([0x20, 0, 0, 0xfffff02c], [0x54, 0, 0, 0xfff]);
my @arp = (
    @of_no_vlan, [0x15, 0, 5, 0],
    [0x28, 0, 0, 12], [0x15, 0, 3, $ETH_P_ARP],
    [0x20, 0, 0, 28], [0x15, 0, 1, unpack 'N', $target],
    [0x06, 0, 0, 2048], [0x06, 0, 0, 0]
);
my @discovery = (
    @of_no_vlan, [0x15, 0, 8, 0],
    [0x28, 0, 0, 12], [0x15, 0, 6, $ETH_P_IPV6],
    [0x30, 0, 0, 20], [0x15, 0, 4, $ICMPV6],
    [0x30, 0, 0, 54], [0x15, 1, 0, $SOLICITATION], [0x15, 0, 1, $ADVERTISEMENT],
    [0x06, 0, 0, 2048], [0x06, 0, 0, 0]
);
my ($protocol, $question, $heard, @filter) =
    $is_ipv4 ? ($ETH_P_ARP, probe($mac), \&sender_in, @arp) : ($ETH_P_IPV6, solicitation($mac), \&holder_in, @discovery);
my $program = join '', map { pack 'SCCL', @$_ } @filter;

my $place = pack 'SniSCCa8', $AF_PACKET, $ETH_P_ALL, $index, 0, 0, 0, '';
# of no protocol until it is bound: before that it would hear all interfaces
socket(my $wire, $AF_PACKET, $SOCK_RAW, 0) or die "packet socket: $!\n";
setsockopt($wire, $SOL_SOCKET, $SO_ATTACH_FILTER, pack 'S x![P] P', scalar @filter, $program) or die "filter: $!\n";
bind($wire, $place) or die "$name: $!\n";
# The kernel takes the protocol of a frame that is sent from here.
my $to = pack 'SniSCCa8', $AF_PACKET, $protocol, $index, 0, 0, 0, '';

for (1 .. $questions) {
    if (!send $wire, $question, $MSG_DONTWAIT, $to) {
        print "unsent $!\n";
        exit 0;
    }
    my $left = $ms / 1000;
    while ($left > 0) {
        my $ready = '';
        vec($ready, fileno $wire, 1) = 1;
        # the kernel gives back the time that is left
        my ($found, $rest) = select $ready, undef, undef, $left;
        $left = $found > 0 ? $rest : 0;
        next unless $found > 0 && defined recv($wire, my $frame, 2048, $MSG_DONTWAIT);
        my $rival = $heard->($frame) // next;
        next if $is_ours{$rival};
        print join(':', map { sprintf '%02x', $_ } unpack 'C6', $rival), " has it\n";
        exit 0;
    }
}
print "nobody\n";
