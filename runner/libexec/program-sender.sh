#!/bin/sh
# Starts programs that send one packet each, a group at a time.
#
#   sh program-sender.sh
#
#   N        the number of words of a command; then the words, a line each: started at once
#   end      ends the group: answers "started"; when all its programs have ended, "failed I STATUS" for each that failed by
#            itself, the I-th of the group from 1, and then "ended"
#
# A command whose words end too early is not run; any other line in the place of N ends this process with exit status 2.
#
# arping stays for a second after its packet, for answers that an announcement does not have: so the programs of a group
# are ended a fifth of a second after the last of them was started.
pids=
while read -r n; do
	if [ "$n" = end ]; then
		printf 'started\n'
		sleep 0.2
		# shellcheck disable=SC2086 # many words
		kill $pids 2>/dev/null
		i=0
		for pid in $pids; do
			i=$((i + 1))
			wait "$pid"
			status=$?
			# 143: ended by us
			case $status in 0 | 143) ;; *) printf 'failed %d %d\n' $i $status ;; esac
		done
		pids=
		printf 'ended\n'
		continue
	fi
	case $n in '' | *[!0-9]* | 0*) exit 2 ;; esac
	set --
	while [ "$n" -gt 0 ]; do
		IFS= read -r word || exit
		set -- "$@" "$word"
		n=$((n - 1))
	done
	"$@" </dev/null >/dev/null &
	pids="$pids $!"
done
