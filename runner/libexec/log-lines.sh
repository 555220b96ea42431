#!/bin/sh
# Hands lines to the system's log for as long as its input lasts.
#
#   sh log-lines.sh WORD ...     words for logger(1)
#
#   a line     an entry of the log; where the words have --prio-prefix, "<3>" before the line is its priority
#
# A TERM for the whole control group does not end this process: it ends with its input, after the last line.
trap '' TERM
exec logger "$@"
