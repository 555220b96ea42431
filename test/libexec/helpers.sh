#!/bin/sh
# The helpers in runner/libexec, by themselves: each is told its lines and answers. Prints TAP. No node, no root.
#
#   sh test/libexec/helpers.sh [FOLDER]      runner/libexec by default
# shellcheck disable=SC2016 # the words of a command are for another shell
here=${1:-$(dirname "$0")/../../runner/libexec}
folder=$(cd "$here" && pwd) || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

# is NAME EXPECTED SEEN
is() {
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "expected: $2" "seen: $3" | sed 's/^/# /'
		failed=1
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# A PATH without perl.
mkdir "$dir/bin"
for program in flock sh cat sleep; do
	path=$(command -v $program) && ln -s "$path" "$dir/bin/$program"
done

# what lock-holder.sh answers to these lines, with that PATH
lock() {
	path=$1
	shift
	printf '%s\n' "$@" | PATH=$path sh "$folder/lock-holder.sh" "$dir/lock" | tr '\n' ' '
}

for kind in perl flock; do
	path=$PATH
	[ $kind = flock ] && path=$dir/bin
	if ! command -v $kind >/dev/null; then
		skip "lock-holder with $kind" "$kind not found"
		continue
	fi
	is "lock-holder with $kind: takes a lock, gives it back, takes it again" '0 left 0 ' "$(lock "$path" 5 x leave 0 s)"
	is "lock-holder with $kind: ends with its input, also in the middle of a request" '0 ' "$(lock "$path" 0 x | cut -c1-2)"
	if command -v flock >/dev/null; then
		is "lock-holder with $kind: another process has the lock" '1 1 ' \
			"$(flock "$dir/lock" sh -c 'printf "%s\n" 0 x 1 s | PATH=$1 sh "$2" "$3"' sh "$path" "$folder/lock-holder.sh" "$dir/lock" | tr '\n' ' ')"
		is "lock-holder with $kind: a shared lock beside a shared one" '0 1 ' \
			"$(flock -s "$dir/lock" sh -c 'printf "%s\n" 0 s 0 x | PATH=$1 sh "$2" "$3"' sh "$path" "$folder/lock-holder.sh" "$dir/lock" | tr '\n' ' ')"
		printf '%s\n' 0 x | PATH=$path sh "$folder/lock-holder.sh" "$dir/lock" >/dev/null
		is "lock-holder with $kind: its end frees the lock" 0 "$(flock -n "$dir/lock" true; echo $?)"
	else
		skip "lock-holder with $kind beside another process" 'flock not found'
	fi
done

rm "$dir/bin/flock"
is 'lock-holder: neither perl nor flock' '127 ' "$(lock "$dir/bin" 0 x)"

# what process-pool.sh answers, with NUL as @
pool() {
	sh "$folder/process-pool.sh" 2>"$dir/err" | tr '\0' @
	printf ' %s' "$(tr '\0' @ <"$dir/err")"
}

is 'process-pool: output, status and both ends' 'out@0@ err@' "$(printf '%s\n' 3 sh -c 'printf out; printf err >&2' | pool)"
is 'process-pool: words are never read by a shell' '$(id) "a b"@0@ @' "$(printf '%s\n' 3 printf %s '$(id) "a b"' | pool)"
is 'process-pool: one command after the other, and the status of each' 'a@0@@3@ @@' \
	"$(printf '%s\n' 2 printf a 3 sh -c 'exit 3' | pool)"
is 'process-pool: a program that is not there' '127' "$(printf '%s\n' 1 /nonexistent | pool | cut -d@ -f2)"
is 'process-pool: a program does not read the requests' '@0@b@0@ @@' "$(printf '%s\n' 1 cat 2 printf b | pool)"
is 'process-pool: no input, no output' ' ' "$(pool </dev/null)"

is 'program-sender: both commands run, and the group is answered' 'started ended 2' \
	"$({ printf '%s\n' 3 sh -c "echo >>$dir/sent" 3 sh -c "echo >>$dir/sent" end | sh "$folder/program-sender.sh" | tr '\n' ' '; wc -l <"$dir/sent"; } | tr -s ' ' | tr -d '\n')"
is 'program-sender: a program that stays is ended with its group' 'started ended ' \
	"$(printf '%s\n' 2 sleep 30 end | sh "$folder/program-sender.sh" | tr '\n' ' ')"

if ! command -v perl >/dev/null; then
	skip 'frame-sender' 'perl not found'
elif ! unshare -Urn true 2>/dev/null; then
	skip 'frame-sender' 'no user namespaces here'
else
	frame=ffffffffffff0200000000010800$(printf '%0100d' 0)
	is 'frame-sender: frames leave by the interface, one that is not there is named' 'ready sent sent 2 nosuch: No such device' \
		"$(unshare -Urn sh -c '
			ip link set lo up
			printf "%s\n" "lo $2" "nosuch $2" end "lo $2" end | perl "$1" 2>"$3" | tr "\n" " "
			sed -n "s/^ *lo: *//p" /proc/net/dev | tr -s " " | cut -d" " -f2
			cat "$3"' sh "$folder/frame-sender.pl" "$frame" "$dir/said" | tr '\n' ' ' | sed 's/ $//')"
	is 'frame-sender: without the privilege it ends with status 1' 1 \
		"$(unshare -Urn sh -c 'exec setpriv --bounding-set -all --inh-caps -all perl "$1" </dev/null' sh "$folder/frame-sender.pl"; echo $?)"
fi

echo "1..$count"
exit $failed
