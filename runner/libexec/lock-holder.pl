# The same as lock-holder.sh, which speaks for both, in perl: perl has flock(2) itself.
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
    my $how = <STDIN>;
    last unless defined $how;
    chomp $how;
    print taken($how eq 's' ? $LOCK_SH : $LOCK_EX, $seconds) ? "0\n" : "1\n";
}
