import { nodeOf, ourFiles } from '../../../runner/install/executed.ts'
import { pathHere } from '../../../runner/install/service.ts'
import { weaknesses, weaknessText } from '../../../runner/install/trust/judge.ts'
import { DIST } from '../paths.ts'

/** Why root would be refused to install this repository; false: root would not, or this is not root. */
export function whyNotRoots(): string | false {
  if (process.geteuid?.() !== 0) return false
  const [first] = weaknesses([...ourFiles(DIST.replace(/\/$/, '')), ...nodeOf(pathHere())])
  return first ? weaknessText(first) : false
}
