#!/bin/sh
# node 20 with setpriv of util-linux 2.38.1 (Debian 12): `setpriv --pdeathsig KILL PROGRAM`, meant to end PROGRAM with the
# process that started it, ends PROGRAM with the *thread* that started it. A child that a Worker of worker_threads starts is
# killed when the Worker ends, while node lives on; and nobody collects it: it stays a zombie as long as node lives, and
# process.kill(pid, 0) goes on to say that it is alive.
#   while the Worker lives                  S
#   after the Worker, node lives            Z, process.kill(pid, 0) succeeds
#   the same child of the main thread       S
# Ends with 0: still so; 1: it has changed; 2: it cannot be run here.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

cannot() {
	echo "cannot be run here: $1" >&2
	exit 2
}
command -v node >/dev/null || cannot "node is missing"
command -v apt-get >/dev/null || cannot "apt-get is missing"
cd "$tmp"
mkdir -p lists/partial cache/archives/partial
apt() { apt-get -qq -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root "$@"; }
{ apt update && apt download util-linux=2.38.1-5+deb12u3 libcap-ng0; } || cannot "apt has no util-linux 2.38.1-5+deb12u3"
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$tmp"/root/lib/*-linux-gnu "$tmp"/root/usr/lib/*-linux-gnu | tr ' ' :)
export LD_LIBRARY_PATH PATH="$tmp/root/usr/bin:$PATH"

cat >look.mjs <<'PROGRAM'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

const start = () => spawn('setpriv', ['--pdeathsig', 'KILL', 'sleep', '10'], { stdio: 'ignore' })
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const state = (pid) => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))[1]
const isSleep = (pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n'

if (isMainThread) {
  const mine = start()
  const worker = new Worker(new URL(import.meta.url))
  const pid = await new Promise((resolve) => worker.once('message', resolve))
  while (!isSleep(pid) || !isSleep(mine.pid)) await pause(20)
  console.log('while the Worker lives:', state(pid))
  await worker.terminate()
  for (let i = 0; i < 100 && state(pid) === 'S'; i++) await pause(20)
  console.log('after the Worker:', state(pid), process.kill(pid, 0))
  console.log('child of the main thread:', state(mine.pid))
  mine.kill()
} else {
  parentPort.postMessage(start().pid)
  setInterval(() => {}, 1000)
}
PROGRAM
seen=$(node look.mjs) || cannot "node or setpriv fails"
echo "$seen"
expected='while the Worker lives: S
after the Worker: Z true
child of the main thread: S'
[ "$seen" = "$expected" ] || { echo "changed: the answers are not those at the head of this file" && exit 1; }
