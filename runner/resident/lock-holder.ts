import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { CannotRun, codeOf, FileError, LockBusy } from '../machine/errors.ts'
import { startCoprocess, type Coprocess } from '../machine/coprocess.ts'

/** Takes and leaves one flock(2), again and again. */
export interface Keeper {
  /** Rejects with LockBusy after so many seconds. */
  take: (seconds: number) => Promise<void>
  letGo: () => Promise<void>
  /** Of the process that has it, or waits for it. */
  pid: () => number | undefined
  close: () => void
}

/**
 * A line with the seconds to wait and one with `s` (shared) or `x` (alone): answered by 0 when the lock is ours, 1 when
 * the time was over. `leave` gives it back. The file is opened anew each time: it may have been replaced. 3: this flock cannot wait.
 */
const SHELL = String.raw`while read -r seconds; do
if [ "$seconds" = leave ]; then exec 9>&-; printf 'left\n'; continue; fi
read -r how; exec 9>>"$0"; flock "-$how" -w "$seconds" 9; status=$?
[ $status = 1 ] && case $(flock --version 2>&1) in *BusyBox*) status=3 ;; esac; printf '%d\n' $status; done`

/**
 * The same in perl, which has flock(2) itself: a tenth of a millisecond, where to start flock(1) takes one to two. 1, 2
 * and 4 are LOCK_SH, LOCK_EX and LOCK_NB; no module is loaded, so it starts in 3 ms.
 */
const PERL = String.raw`$| = 1; my $path = shift;
while (defined(my $seconds = <STDIN>)) {
  chomp $seconds;
  if ($seconds eq "leave") { close L; print "left\n"; next }
  chomp(my $how = <STDIN>);
  $how = $how eq "s" ? 1 : 2;
  my $got = open(L, ">>", $path) && (flock(L, $how | 4)
    || $seconds > 0 && eval { local $SIG{ALRM} = sub { die }; alarm $seconds; my $ours = flock(L, $how); alarm 0; $ours });
  print $got ? "0\n" : "1\n";
}`

/** Where there is no perl, or none that works, the shell and flock(1) do it. */
const EITHER = `perl -e 1 2>/dev/null && exec perl -e "$1" "$0"\n${SHELL}`

/** node has no flock(2), so a small process has the lock; it goes with us, and the lock with it. */
export function flockKeeper(path: string, shared: boolean): Keeper {
  let process: Coprocess | undefined
  let heard: ((line: string) => void) | undefined

  const talk = (text: string): Promise<string> =>
    new Promise((resolve) => {
      heard = resolve
      process ??= startCoprocess(['sh', '-c', EITHER, path, PERL], {
        out: (line) => heard?.(line.trim()),
        ended() {
          process = undefined
          heard?.('ended')
        },
      })
      process.send(text)
    })

  return {
    async take(seconds) {
      mustBeOpenable(path)
      const status = await talk(`${seconds}\n${shared ? 's' : 'x'}\n`)
      if (status === '0') return
      if (status === '127') throw new CannotRun('flock', 'ENOENT')
      if (status === '3') throw new CannotRun('flock', 'ENOTSUP')
      if (status === 'ended') throw new LockBusy(`cannot lock ${path}: the process that does it has ended`)
      throw new LockBusy(
        `cannot lock ${path}: another process has held it for ${seconds} s: "fuser -v ${path}" names it`,
      )
    },
    async letGo() {
      if (process) await talk('leave\n')
    },
    pid: () => process?.pid,
    close: () => process?.finish(),
  }
}

function mustBeOpenable(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    closeSync(openSync(path, 'a'))
  } catch (error) {
    throw new FileError('open the lock', path, codeOf(error))
  }
}
