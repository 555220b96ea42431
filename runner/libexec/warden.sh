#!/bin/sh
# Ends the helpers of a process that has died, in whatever way: also a helper that is stopped, and so does not see the end of
# its own input.
#
#   sh warden.sh
#
#   PID ... / PID ...    the process groups that are to go at once, and the processes that have 5 s to end by themselves.
#                        Replaces the line before; answers "kept"
#
# The end of the input is the death of that process: a KILL to each of them. Any other line ends this process with exit
# status 2, and nothing is killed.
#
# The death often comes with a TERM for the whole control group, and nobody reads the answers any more.
trap '' TERM INT HUP PIPE
groups=
late=
while read -r line; do
	case $line in
	*[!0-9\ /]*) exit 2 ;;
	*/*) groups=${line%%/*} late=${line#*/} ;;
	*) exit 2 ;;
	esac
	echo kept 2>/dev/null
done
for pid in $groups; do kill -KILL "-$pid" 2>/dev/null; done
for pid in $late; do
	for _ in 1 2 3 4 5; do
		kill -0 "$pid" 2>/dev/null || continue 2
		sleep 1
	done
	kill -KILL "$pid" 2>/dev/null
done
exit 0
