/**
 * package-lock.json is complete: `npm install` has nothing to add and `npm ci` accepts the file. Seen with npm 9.2,
 * 10.8, 10.9 and 11.19. npm 11.6.2 adds `peer` to seven packages, and the others do not.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../tap.ts'
import { DIST } from '../lab/paths.ts'

interface Locked {
  resolved?: string
  libc?: unknown
  optionalDependencies?: Record<string, string>
}

const lock = JSON.parse(readFileSync(join(DIST, '../package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>
}
const packages = Object.entries(lock.packages)
const names = new Set(packages.map(([path]) => path.split('node_modules/').at(-1)))
const pathsWith = (key: keyof Locked) => packages.filter(([, each]) => key in each).map(([path]) => path)

t.test('the optional packages of all platforms are there', (t) => {
  const optional = packages.flatMap(([, each]) => Object.keys(each.optionalDependencies ?? {}))
  t.ok(
    optional.some((name) => name.includes('darwin')),
    optional.join(),
  )
  t.same(
    optional.filter((name) => !names.has(name)),
    [],
    'npm on another platform would add these',
  )
  t.end()
})

t.test('the lock has no field that only some versions of npm write', (t) => {
  t.same(pathsWith('resolved'), [], 'the address of a registry: .npmrc leaves it out')
  t.same(
    pathsWith('libc'),
    [],
    'npm 11.19 writes libc for a new package, npm 10 removes it: delete the field',
  )
  t.end()
})
