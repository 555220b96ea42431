import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Links on one way, as in the kernel (path_resolution(7)). */
const MOST_LINKS = 40

/**
 * Every folder, link and file that the kernel passes on the way to a full path, the path itself and what each link leads to included.
 * Whoever may write to any of them decides what is found there. The way ends where nothing exists.
 */
export function wayTo(path: string): string[] {
  const passed = new Set(['/'])
  const names = path.split('/')
  let here = '/'
  let links = 0
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') here = dirname(here)
    if (['', '.', '..'].includes(name)) continue
    const next = join(here, name)
    const status = lstatSync(next, { throwIfNoEntry: false })
    if (!status) break
    passed.add(next)
    if (!status.isSymbolicLink()) here = next
    else if ((links += 1) > MOST_LINKS) break
    else {
      const target = readlinkSync(next)
      if (target.startsWith('/')) here = '/'
      names.unshift(...target.split('/'))
    }
  }
  return [...passed]
}
