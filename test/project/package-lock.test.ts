/**
 * package-lock.json is complete: `npm install` has nothing to add and `npm ci` accepts it. Seen with npm 9.2, 10.8, 10.9 and
 * 11.19. npm 11.6.2 adds `peer` to seven packages, which the others do not.
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

t.test('no field is there that only some npm writes', (t) => {
  t.same(pathsWith('resolved'), [], 'the address of a registry: .npmrc leaves it out')
  t.same(
    pathsWith('libc'),
    [],
    'npm 11.19 writes it for a package that is new; npm 10 takes it away: delete it',
  )
  t.end()
})
