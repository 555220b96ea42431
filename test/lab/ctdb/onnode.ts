/** `onnode` in a cluster of `cluster`: in place of ssh, a program that enters the node of that private address. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The program, for ONNODE_SSH. It fails as ssh does for the addresses in the file `unreachable`. */
export function sshIn(dir: string): { program: string; unreachable: string } {
  const [program, unreachable] = [join(dir, 'ssh'), join(dir, 'unreachable')]
  const text = `#!/bin/sh
[ "$1" != -n ] || shift
host=$1 i=$((\${1##*:} - 1)); shift
if grep -qxF "$host" '${unreachable}' 2>/dev/null; then
  echo "ssh: connect to host $host port 22: No route to host" >&2
  exit 255
fi
exec nsenter -t "$(cat '${dir}'/$i/anchor)" -m -n sh -c "$*"
`
  writeFileSync(program, text)
  chmodSync(program, 0o755)
  return { program, unreachable }
}
