import type { Test } from '../../tap.ts'
import { judged, LINES, type Release } from './lines.ts'

/** How many daemons at once: each needs little but waits. */
const AT_ONCE = 4

/** The real ctdbd, this machine's or that of the chroot `root`, says of each line what the table says. */
export async function sameVerdicts(t: Test, release: Release, root?: string): Promise<void> {
  const left = LINES.values()
  const wrong: object[] = []
  const worker = async () => {
    for (const line of left) {
      const seen = await judged(line, root)
      if (seen !== line[release])
        wrong.push({ file: line.file, what: line.what, seen, recorded: line[release] })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  t.same(wrong, [])
}
