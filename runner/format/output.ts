/**
 * Nobody reads any more (`| head -1`), or the disk is full: what is printed from here on is lost, but an event that has
 * begun goes on to its end. Without this node ends the process in the middle. `lost` is told of anything but the former.
 */
export function outliveOutput(lost: (code: string) => void = () => {}): void {
  let told = false
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      if (told || code === 'EPIPE') return
      told = true
      lost(code)
    })
}
