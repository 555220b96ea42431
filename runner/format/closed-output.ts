/**
 * An event that has begun goes on to its end although its output is lost: the reader has gone (`| head -1`), or the disk is
 * full. Without this function node ends the process in the middle. `lost` hears of any error but EPIPE, and only once.
 */
export function surviveClosedOutput(lost: (code: string) => void = () => {}): void {
  let reported = false
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      if (reported || code === 'EPIPE') return
      reported = true
      lost(code)
    })
}
