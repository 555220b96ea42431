#!/bin/sh
# Starts programs for a large process, to which a start of its own is expensive: 1 ms for each here.
#
#   sh process-pool.sh
#
#   N        the number of words of a command; then the words, a line each
#            prints what the program prints; then NUL, its exit status and NUL on standard output, NUL on standard error
#
# No word is ever seen by the shell's parser. A word cannot contain a line end. A command whose words end too early is not
# run; any other line in the place of N ends this process with exit status 2.
while read -r n; do
	case $n in '' | *[!0-9]* | 0*) exit 2 ;; esac
	set --
	while [ "$n" -gt 0 ]; do
		IFS= read -r word || exit
		set -- "$@" "$word"
		n=$((n - 1))
	done
	"$@" </dev/null
	status=$?
	printf '\0' >&2
	printf '\0%d\0' "$status"
done
