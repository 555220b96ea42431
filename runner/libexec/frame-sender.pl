#!/usr/bin/perl
# Sends Ethernet frames, for a program that has no packet sockets itself, as node.
#
#   perl frame-sender.pl
#
#   INTERFACE HEX    send these bytes by that interface; a failure is a line "INTERFACE HEX: reason" on standard error
#   end              answers "sent" when all lines before it are done
#
# Begins with "ready". Exit status 1 without a word: this process may not send packets. Any other line is reported on
# standard error, and a last line without a line end is no frame.
# No module but strict is loaded, so that it starts in 3 ms.
use strict;

my ($AF_INET, $AF_PACKET, $SOCK_DGRAM, $SOCK_RAW) = (2, 17, 2, 3);
my $SIOCGIFINDEX = 0x8933;
# an interface that lets nothing out is reported, and does not keep the others waiting
my $MSG_DONTWAIT = 0x40;

$| = 1;
# one for each interface, as its buffer is full when an interface lets nothing out; protocol 0 receives nothing
my %sockets;

sub socket_for {
    my ($name) = @_;
    $sockets{$name} or socket($sockets{$name}, $AF_PACKET, $SOCK_RAW, 0) or delete $sockets{$name};
    return $sockets{$name};
}

socket_for('lo') && socket(my $inet, $AF_INET, $SOCK_DGRAM, 0) or exit 1;
print "ready\n";

# struct sockaddr_ll of the interface with that name; undefined when there is none
sub address_of {
    my ($name) = @_;
    my $request = pack('a16x24', $name);
    ioctl($inet, $SIOCGIFINDEX, $request) or return;
    return pack('SniSCCa8', $AF_PACKET, 0, unpack('x16i', $request), 0, 0, 0, '');
}

while (defined(my $line = <STDIN>)) {
    last unless chomp $line;
    if ($line eq 'end') {
        print "sent\n";
        next;
    }
    my ($name, $frame) = $line =~ /^(\S+) ([0-9a-f]+)$/;
    if (!defined $frame) {
        print STDERR "$line: expected INTERFACE HEX\n";
        next;
    }
    my $to = address_of($name);
    my $packets = defined $to && socket_for($name);
    print STDERR "$line: $!\n" unless $packets && send($packets, pack('H*', $frame), $MSG_DONTWAIT, $to);
}
