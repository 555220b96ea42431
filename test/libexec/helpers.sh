#!/bin/sh
# The helpers in runner/libexec, by themselves: each gets its lines and answers. Prints TAP. No node, no root.
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

# A PATH without perl, and with two programs that print their words and input.
mkdir "$dir/bin"
for program in flock sh cat sleep; do
	path=$(command -v $program) && ln -s "$path" "$dir/bin/$program"
done
for program in ip logger; do
	printf '#!/bin/sh\necho "%s $*"\necho err >&2\ncat\n' $program >"$dir/bin/$program"
	chmod 755 "$dir/bin/$program"
done

perl_text=$(cat "$folder/lock-holder.pl")

# The answers of lock-holder.sh to these lines, with that PATH, and its exit status.
lock() {
	path=$1
	shift
	{
		printf '%s\n' "$@" | PATH=$path sh "$folder/lock-holder.sh" "$dir/lock" "$perl_text"
		echo "= $?"
	} | tr '\n' ' '
}

# The same while another open file has the lock (-x or -s).
lock_beside() {
	how=$1
	shift
	(
		flock "$how" 8
		lock "$@"
	) 8>>"$dir/lock"
}

for kind in perl flock; do
	path=$PATH
	[ $kind = flock ] && path=$dir/bin
	if ! command -v $kind >/dev/null; then
		skip "lock-holder with $kind" "$kind not found"
		continue
	fi
	is "lock-holder with $kind: takes a lock, releases the lock, takes the lock again" '0 left 0 = 0 ' "$(lock "$path" 5 x leave 0 s)"
	is "lock-holder with $kind: ends with its input, also in the middle of a request" '0 = 0 ' "$(lock "$path" 0 x 0)"
	is "lock-holder with $kind: seconds that are no number end the helper" '= 2 ' "$(lock "$path" soon x)"
	is "lock-holder with $kind: a way that is neither s nor x ends the helper" '0 = 2 ' "$(lock "$path" 0 x 0 e 0 x)"
	if command -v flock >/dev/null; then
		is "lock-holder with $kind: another process has the lock" '1 waits 1 = 0 ' "$(lock_beside -x "$path" 0 x 1 s)"
		is "lock-holder with $kind: two shared locks exist side by side" '0 1 = 0 ' "$(lock_beside -s "$path" 0 s 0 x)"
		lock "$path" 0 x >/dev/null
		is "lock-holder with $kind: its end frees the lock" 0 "$(flock -n "$dir/lock" true; echo $?)"
	else
		skip "lock-holder with $kind beside another process" 'flock not found'
	fi
done

rm -f "$dir/bin/flock"
is 'lock-holder: the helper reports that perl and flock are missing' '127 = 0 ' "$(lock "$dir/bin" 0 x)"

# The output of process-pool.sh, with NUL as @: standard output, standard error, exit status.
pool() {
	sh "$folder/process-pool.sh" >"$dir/out" 2>"$dir/err"
	status=$?
	printf '%s %s = %s' "$(tr '\0' @ <"$dir/out")" "$(tr '\0' @ <"$dir/err")" $status
}

is 'process-pool: output, status and both ends' 'out@0@ err@ = 0' "$(printf '%s\n' 3 sh -c 'printf out; printf err >&2' | pool)"
is 'process-pool: words are never read by a shell' '$(id) "a b"@0@ @ = 0' "$(printf '%s\n' 3 printf %s '$(id) "a b"' | pool)"
is 'process-pool: commands run in order, each with its status' 'a@0@@3@ @@ = 0' \
	"$(printf '%s\n' 2 printf a 3 sh -c 'exit 3' | pool)"
is 'process-pool: a missing program gives status 127' 127 "$(printf '%s\n' 1 /nonexistent | pool | head -n 1 | cut -d@ -f2)"
is 'process-pool: a program does not read the requests' '@0@b@0@ @@ = 0' "$(printf '%s\n' 1 cat 2 printf b | pool)"
is 'process-pool: without input there is no output' '  = 0' "$(pool </dev/null)"
is 'process-pool: a command that is cut short is not run' '  = 1' "$(printf '%s\n' 3 printf a | pool)"
is 'process-pool: a command whose last word is cut is not run' '  = 1' "$(printf '2\nprintf\na' | pool)"
is 'process-pool: a first line that is no number of words ends the helper' '  = 2' "$(printf '%s\n' printf a 2 printf b | pool)"
is 'process-pool: 0 words end the helper' '  = 2' "$(printf '%s\n' 0 2 printf b | pool)"

# The answers of program-sender.sh, its exit status, and how many of its programs have sent.
programs() {
	: >"$dir/sent"
	sh "$folder/program-sender.sh" 2>/dev/null | tr '\n' ' '
	printf '%d' "$(wc -l <"$dir/sent")"
}
send="echo >>$dir/sent"

is 'program-sender: both commands run, and the group is answered' 'started ended 2' \
	"$(printf '%s\n' 3 sh -c "$send" 3 sh -c "$send" end | programs)"
is 'program-sender: a program that stays is ended with its group' 'started ended 0' "$(printf '%s\n' 2 sleep 30 end | programs)"
is 'program-sender: those that fail by themselves are named by their number' 'started failed 2 3 ended 1' \
	"$(printf '%s\n' 3 sh -c "$send" 3 sh -c 'exit 3' 2 sleep 30 end | programs)"
is 'program-sender: groups run in order' 'started ended started ended 1' \
	"$(printf '%s\n' end 3 sh -c "$send" end | programs)"
is 'program-sender: a command that is cut short is not run' 0 "$(printf '%s\n' 4 sh -c "$send" | programs)"
is 'program-sender: a first line that is no number of words ends the helper' 2 "$(printf '%s\n' sh end | sh "$folder/program-sender.sh" >&2; echo $?)"

is 'ip-batch: both outputs are combined, and ip gets the lines' 'ip -json -force -batch - err link show ' \
	"$(echo 'link show' | PATH=$dir/bin sh "$folder/ip-batch.sh" 2>/dev/null | tr '\n' ' ')"
if command -v ip >/dev/null; then
	is 'ip-batch: a line that fails is named by its number, and the next is answered' 'Command failed -:1 [{"ifindex":1' \
		"$(printf '%s\n' 'link show dev nosuch' 'link show dev lo' | sh "$folder/ip-batch.sh" | sed -n 's/^Command.*/&/p; s/^\([^,]*\),.*/\1/p' | tr '\n' ' ' | sed 's/ $//')"
else
	skip 'ip-batch: a line that fails is named by its number' 'ip not found'
fi

is 'log-lines: logger gets the words and the lines' 'logger -t a b <3>line ' \
	"$(echo '<3>line' | PATH=$dir/bin sh "$folder/log-lines.sh" -t 'a b' 2>/dev/null | tr '\n' ' ')"
printf '#!/bin/sh\nkill -TERM $$\ncat\n' >"$dir/bin/logger"
is 'log-lines: a TERM does not end the helper before its input ends' 'last' \
	"$(echo last | PATH=$dir/bin sh "$folder/log-lines.sh")"

# Two programs in groups of their own, the second stopped; their pids go to the warden, which then loses its input.
warden() {
	setsid sleep 20 &
	first=$!
	setsid sleep 20 &
	second=$!
	until [ "$(ps -o pgid= $second | tr -d ' ')" = $second ]; do sleep 0.1; done
	kill -STOP $second
	echo "$first $second / " | sh "$folder/warden.sh" | tr '\n' ' '
	wait $first
	printf '%d ' $?
	wait $second
	printf '%d' $?
}
if command -v setsid >/dev/null && command -v ps >/dev/null; then
	is 'warden: the end of its input ends every group, also a group that is stopped' 'kept 137 137' "$(warden 2>/dev/null)"
else
	skip 'warden' 'setsid or ps not found'
fi
is 'warden: any other line ends the helper' 2 "$(echo '1 2' | sh "$folder/warden.sh"; echo $?)"
is 'warden: late processes have time to end by themselves' 'kept 0' \
	"$(sh -c 'sleep 1 & echo " / $!" | sh "$1"; wait; printf 0' sh "$folder/warden.sh" | tr '\n' ' ' | sed 's/ $//')"

if ! command -v perl >/dev/null; then
	skip 'frame-sender' 'perl not found'
elif ! unshare -Urn true 2>/dev/null; then
	skip 'frame-sender' 'no user namespaces here'
else
	frame=ffffffffffff0200000000010800$(printf '%0100d' 0)
	# The output of frame-sender.pl for these lines, its standard error, and the packets that lo has received.
	frames() {
		unshare -Urn sh -c '
			ip link set lo up
			perl "$1" 2>"$2" | tr "\n" " "
			tr "\n" " " <"$2"
			sed -n "s/^ *lo: *//p" /proc/net/dev | tr -s " " | cut -d" " -f2' sh "$folder/frame-sender.pl" "$dir/said"
	}
	is 'frame-sender: frames leave by the interface, and a missing interface is named' "ready sent sent nosuch $frame: No such device 2" \
		"$(printf '%s\n' "lo $frame" "nosuch $frame" end "lo $frame" end | frames)"
	is 'frame-sender: a line that is no frame is reported, and the next is sent' \
		'ready sent lo: expected INTERFACE HEX lo xyz: expected INTERFACE HEX 1' \
		"$(printf '%s\n' lo 'lo xyz' "lo $frame" end | frames)"
	is 'frame-sender: a last line that is cut is not sent' 'ready 0' "$(printf %s "lo $frame" | frames)"
	is 'frame-sender: without the privilege the helper ends with status 1' 1 \
		"$(unshare -Urn sh -c 'exec setpriv --bounding-set -all --inh-caps -all perl "$1" </dev/null' sh "$folder/frame-sender.pl"; echo $?)"
	# A host that has fd00::1 and 10.0.0.1 at the other end of eth0; the words after "--" ask.
	ask() {
		unshare -Urn sh -c '
			ip link add eth0 type veth peer name peer && ip link set eth0 up && ip link set peer address 02:00:00:00:00:01 up
			ip addr add fd00::1/64 dev peer nodad && ip addr add 10.0.0.1/24 dev peer
			perl "$@" 2>&1' sh "$folder/wire-question.pl" "$@"
		echo "= $?"
	}
	is 'wire-question: the host that has the address is heard, also where the address is on this host' '02:00:00:00:00:01 has it = 0' \
		"$(ask eth0 fd00::1 5 500 | tr '\n' ' ' | sed 's/ $//')"
	is 'wire-question: nobody answers for another address' 'nobody = 0' "$(ask eth0 fd00::2 2 50 | tr '\n' ' ' | sed 's/ $//')"
	is 'wire-question: an interface that is missing is named' 'nosuch: No such device' "$(ask nosuch fd00::1 1 50 | head -1)"
	is 'wire-question: words that are no question' '10.0.0: expected an address' "$(ask eth0 10.0.0 1 50 | head -1)"
	is 'wire-question: the host that has an IPv4 address is heard' '02:00:00:00:00:01 has it = 0' \
		"$(ask eth0 10.0.0.1 5 500 | tr '\n' ' ' | sed 's/ $//')"
	is 'wire-question: nobody answers for another IPv4 address' 'nobody = 0' \
		"$(ask eth0 10.0.0.2 2 50 | tr '\n' ' ' | sed 's/ $//')"
	for address in fd00::1 10.0.0.1; do
		is "wire-question: a MAC that is named is no other host: $address" 'nobody = 0' \
			"$(ask eth0 $address 2 200 02:00:00:00:00:09 02:00:00:00:00:01 | tr '\n' ' ' | sed 's/ $//')"
	done
fi

echo "1..$count"
exit $failed
