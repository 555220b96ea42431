#!/bin/sh
# Takes and gives back one flock(2), again and again, for a program that has no flock(2) itself, as node.
# The lock goes with this process, which ends with its input.
#
#   sh lock-holder.sh FILE [PERL]
#
#   SECONDS      wait so long for the lock; 0 is one try. The next line says how:
#   s | x        shared, or alone
#                answers 0: the lock is ours; 1: another process has the lock; 127: flock is missing; 3: flock cannot wait;
#                before that "waits" at once, where another process has the lock and SECONDS is not 0
#   leave        give the lock back: answers "left"
#
# Any other line ends this process with exit status 2. FILE is opened anew for each lock: another file may have taken its
# place. PERL is the text of lock-holder.pl, which does the same where perl works: perl takes a tenth of a millisecond for
# a lock, and to start flock(1) takes one to two.
# The file is for us alone, as flock(2) works on one that is open for reading.
umask 022
[ -d "${1%/*}" ] || mkdir -p -- "${1%/*}" 2>/dev/null
umask 077

[ -n "${2-}" ] && perl -e 1 2>/dev/null && exec perl -e "$2" "$1"

while read -r seconds; do
	if [ "$seconds" = leave ]; then
		exec 9>&-
		printf 'left\n'
		continue
	fi
	case $seconds in '' | *[!0-9]*) exit 2 ;; esac
	read -r how || break
	case $how in s | x) ;; *) exit 2 ;; esac
	exec 9>>"$1"
	flock "-$how" -n 9
	status=$?
	if [ $status = 1 ] && [ "$seconds" != 0 ]; then
		printf 'waits\n'
		flock "-$how" -w "$seconds" 9
		status=$?
		# that of BusyBox does not know -w
		[ $status = 1 ] && case $(flock --version 2>&1) in *BusyBox*) status=3 ;; esac
	fi
	printf '%d\n' $status
done
