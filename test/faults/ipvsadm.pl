#!/usr/bin/perl
# Stands in for ipvsadm, on any kernel: the services are lines of a file. Reached by a link DIR/FOLDER/ipvsadm.
#
#   -S -n    prints the services and their servers
#   -R       reads changes: "-A|-D PROTOCOL SERVICE ..." of services, "-a|-d PROTOCOL SERVICE -r SERVER ..." of servers
#
#   DIR/ipvs    the lines that -S prints
use strict;
use warnings;

my ($dir) = $0 =~ m{^(.*)/[^/]+/[^/]+$} or die "$0: expected DIR/FOLDER/ipvsadm\n";
my @now;
if (open my $old, '<', "$dir/ipvs") { @now = <$old> }

if ($ARGV[0] eq '-S') {
    print @now;
    exit;
}

my $change = sub {
    my ($what, $protocol, $service, undef, $server) = split ' ', $_[0];
    my $of = qr/ $protocol \Q$service\E /;
    if ($what eq '-D') { @now = grep { !/^-[Aa]$of/ } @now }
    elsif ($what eq '-d') { @now = grep { !/^-a$of-r \Q$server\E / } @now }
    else { push @now, $_[0] }
};
$change->($_) while <STDIN>;
open my $new, '>', "$dir/ipvs.new.$$" or die "$dir: $!\n";
print {$new} @now;
close $new or die "$dir: $!\n";
rename "$dir/ipvs.new.$$", "$dir/ipvs" or die "$dir: $!\n";
