#!/usr/bin/perl
# Stands before a program in PATH, by a link of its name, and lets some of its starts go wrong.
#
#   DIR/FOLDER/NAME    a link to this file
#   DIR/real/NAME      the program itself
#   DIR/faults/plan    lines "N KIND": the N-th start of any program goes wrong in that way. Without the file none does
#   DIR/faults/count   a byte for each start
#   DIR/faults/log     a line "N KIND NAME WORD..." for each fault
#
# No module but strict is loaded, so that it starts in 3 ms.
use strict;

my ($dir, $name) = $0 =~ m{^(.*)/[^/]+/([^/]+)$} or die "$0: expected DIR/FOLDER/NAME\n";
my $real = "$dir/real/$name";

sub run { exec { $real } $name, @ARGV or die "$real: $!\n" }

# The program's exit status, when it has ended. Its output goes to the handle, if there is one.
sub start {
    my ($out) = @_;
    my $pid = fork // die "$name: fork: $!\n";
    return $pid if $pid;
    open(STDOUT, '>&', $out) or die "$name: $!\n" if $out;
    run();
}

sub end {
    my ($pid) = @_;
    waitpid $pid, 0;
    return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

# After a moment this process, which has become the program by then, gets the signal.
sub later {
    my ($signal, $seconds) = @_;
    my $program = $$;
    my $pid = fork // die "$name: fork: $!\n";
    run() if $pid;
    close $_ for *STDIN, *STDOUT, *STDERR;
    select undef, undef, undef, $seconds;
    kill $signal, $program if getppid == $program;
    exit;
}

# The program does its work; of its output comes what $change makes of the beginning, and then no more.
sub distorted {
    my ($change) = @_;
    pipe(my $in, my $out) or die "$name: pipe: $!\n";
    my $pid = start($out);
    close $out;
    my $seen = sysread $in, my $text, 1 << 16;
    syswrite STDOUT, $change->($text) if $seen;
    1 while sysread $in, $text, 1 << 16;
    exit end($pid);
}

sub hang { exec 'sleep', 600 or die "sleep: $!\n" }

sub fail {
    print STDERR "$name: a fault of the test\n";
    exit 1;
}

my %KINDS = (
    'fails'        => \&fail,
    'fails-after'  => sub { end(start()); fail() },
    'killed'       => sub { kill 'KILL', $$ },
    'killed-after' => sub { end(start()); kill 'KILL', $$ },
    'killed-soon'  => sub { later('KILL', 0.05) },
    'hangs'        => \&hang,
    'hangs-deaf'   => sub { $SIG{TERM} = 'IGNORE'; hang() },
    'stops-soon'   => sub { later('STOP', 0.05) },
    'slow'         => sub { select undef, undef, undef, 0.3; run() },
    'half'         => sub {
        distorted(sub { substr $_[0], 0, length($_[0]) / 2 })
    },
    'garbage' => sub {
        distorted(sub { "\xff\x00{]\e[31m|0x%s\n" })
    },
);

open(my $plan, '<', "$dir/faults/plan") or run();
my %kind_of = map { split } <$plan>;
open(my $count, '>>', "$dir/faults/count") or run();
syswrite $count, '.';
# appending moves the position to the end of what was appended: no two starts have the same number
my $n = sysseek $count, 0, 1;
my $kind = $kind_of{$n} or run();
my $words = substr "$n $kind $name @ARGV", 0, 160;
$words =~ tr/\n/ /;
open(my $log, '>>', "$dir/faults/log") or die "$dir/faults/log: $!\n";
syswrite $log, "$words\n";
close $_ for $plan, $count, $log;
$KINDS{$kind}->();
