#!/bin/sh
# Takes and leaves one flock(2), again and again, for a program that has no flock(2) itself, as node.
# The lock goes with this process, which ends with its input.
#
#   sh lock-holder.sh FILE
#
#   SECONDS      wait so long for the lock; the next line says how:
#   s | x        shared, or alone
#                answers 0: the lock is ours; 1: another process has it; 127: flock is missing; 3: flock cannot wait
#   leave        give the lock back: answers "left"
#
# FILE is opened anew for each lock: another file may have taken its place.

# perl takes a tenth of a millisecond for what costs one or two to start flock(1)
perl -e 1 2>/dev/null && exec perl "${0%/*}/lock-holder.pl" "$1"

while read -r seconds; do
	if [ "$seconds" = leave ]; then
		exec 9>&-
		printf 'left\n'
		continue
	fi
	read -r how
	exec 9>>"$1"
	flock "-$how" -w "$seconds" 9
	status=$?
	# that of BusyBox does not know -w
	[ $status = 1 ] && case $(flock --version 2>&1) in *BusyBox*) status=3 ;; esac
	printf '%d\n' $status
done
