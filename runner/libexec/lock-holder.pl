#!/usr/bin/perl
# Takes and gives back one flock(2), again and again, for a program that has no flock(2) itself, as node.
# The lock goes with this process, which ends with its input.
#
#   perl lock-holder.pl FILE
#
#   SECONDS      wait so long for the lock; 0 is one try. The next line says how:
#   s | x        shared, or alone
#                answers 0: the lock is ours; 1: another process has the lock, or FILE cannot be opened; before that
#                "waits" at once, where another process has the lock and SECONDS is not 0
#   leave        give the lock back: answers "left"
#
# Any other line ends this process with exit status 2.
# FILE is opened anew for each lock: another file may have taken its place.
# No module but strict is loaded, so that it starts in 3 ms.
use strict;

$| = 1;
my ($LOCK_SH, $LOCK_EX, $LOCK_NB) = (1, 2, 4);
my $path = shift;
my $lock;

# Within so many seconds; in one try for 0.
sub taken {
    my ($how, $seconds) = @_;
    open($lock, '>>', $path) or return 0;
    return 1 if flock($lock, $how | $LOCK_NB);
    return 0 unless $seconds > 0;
    print "waits\n";
    my $got = eval {
        local $SIG{ALRM} = sub { die };
        alarm $seconds;
        my $ours = flock($lock, $how);
        alarm 0;
        $ours;
    };
    return $got;
}

while (defined(my $seconds = <STDIN>)) {
    chomp $seconds;
    if ($seconds eq 'leave') {
        close $lock if $lock;
        print "left\n";
        next;
    }
    exit 2 unless $seconds =~ /^\d+$/;
    my $how = <STDIN>;
    last unless defined $how;
    chomp $how;
    exit 2 unless $how =~ /^[sx]$/;
    print taken($how eq 's' ? $LOCK_SH : $LOCK_EX, $seconds) ? "0\n" : "1\n";
}
