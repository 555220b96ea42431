/** The folder of event scripts: which files are ignored in silence, what is there twice. */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { findHandlers, type Entry } from '../../engine/find-handlers.ts'
import { leadsTo } from '../../install/wrapper.ts'
import { toShell } from '../../machine/argv.ts'
import { NAT_GATEWAY, PUBLIC_ADDRESSES, STATIC_ROUTES } from '../../node/handler-names.ts'
import { about, type Examination, type Patient } from '../finding.ts'

/** Whose script it is, CTDB's or ours, is the admin's decision. */
const ENABLE = `ctdb event script enable legacy ${PUBLIC_ADDRESSES}, or eventscript install`

const SCRIPT = /^\d\d\..*\.script$/
/** CTDB ships these two with one number. */
const SHIPPED_ALIKE = [NAT_GATEWAY, STATIC_ROUTES]

const presence: Examination = ({ folder }) => {
  const { warn, error } = about('event folder')
  if (!existsSync(folder))
    return error(folder, 'no such folder: no event does anything', `mkdir -p ${folder}`)
  const isScript = (name: string) => SCRIPT.test(name) || name.endsWith('.options')
  return readdirSync(folder).some(isScript) ? [] : warn(folder, 'no script in it', ENABLE)
}

/** Files that CTDB, and our runner, ignore without a word when an event runs. */
const ignored: Examination = ({ folder }) => {
  const { warn } = about('name')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder)
  const ofScript = (name: string) => names.includes(name.replace(/\.options$/, '.script'))
  return names.toSorted().flatMap((name) => {
    if (SCRIPT.test(name) || /^README|\.script\.(stock(\.\d+)?|new)$/.test(name)) return []
    const path = join(folder, name)
    if (!name.endsWith('.options'))
      return warn(path, 'not run: its name is not NN.name.script', `rename it, or ${toShell(['rm', path])}`)
    return ofScript(name)
      ? []
      : warn(path, 'not read: there is no script of that name', `rename it, or ${toShell(['rm', path])}`)
  })
}

/** Scripts that are enabled and cannot run: no interpreter, CR LF, a dangling link. */
const broken: Examination = (patient) => {
  const { error } = about('script')
  return scripts(patient).flatMap((entry) => {
    if (entry.kind !== 'unusable' || isDisabledOnPurpose(entry)) return []
    return error(
      entry.path,
      entry.why.replace(`${entry.path}: `, '').replace(`${entry.path} `, ''),
      remedyFor(entry),
    )
  })
}

function isDisabledOnPurpose({ why, disabled }: Entry & { kind: 'unusable' }): boolean {
  return disabled && !why.includes('dangling')
}

function remedyFor({ why, path }: Entry & { kind: 'unusable' }): string {
  if (why.includes('CR LF')) return `sed -i 's/\\r$//' ${path}`
  if (why.includes('dangling')) return toShell(['rm', path])
  return 'repair its first line, or install the program that it names'
}

/** Two scripts with one number: the rest of the name decides the order, which nobody intends. */
const alike: Examination = (patient) => {
  const { warn } = about('number')
  const enabled = scripts(patient).filter((entry) => entry.kind !== 'unusable')
  const numbers = new Set(enabled.map(({ name }) => name.slice(0, 2)))
  return [...numbers].flatMap((number) => {
    const names = enabled.map(({ name }) => name).filter((name) => name.startsWith(`${number}.`))
    if (names.length < 2 || names.every((name) => SHIPPED_ALIKE.includes(name))) return []
    return warn(
      patient.folder,
      `${names.join(' and ')} have one number: they run in this order`,
      'give one another number',
    )
  })
}

/** Which handler looks after the addresses: ours, CTDB's, none, or by mistake both. */
const addresses: Examination = (patient) => {
  const { ok, error } = about(PUBLIC_ADDRESSES)
  const { folder, own, uses } = patient
  if (!existsSync(folder)) return []
  const enabled = scripts(patient).filter((entry) => entry.kind === 'script')
  const mine = existsSync(own) ? readdirSync(own).filter((name) => SCRIPT.test(name)) : []
  const ours = ourScripts(patient)
  const beside = enabled
    .filter((entry) => !isOurs(own, entry))
    .flatMap((entry) => {
      const twin = mine.find((name) => ours.includes(name) && isSameJob(entry, name))
      if (twin === undefined) return []
      const seen = `does the work of our ${basename(twin, '.script')} as well: every address is taken and released twice`
      return error(entry.path, seen, toShell(['rm', entry.path]))
    })
  if (beside.length > 0) return beside
  const script = `${PUBLIC_ADDRESSES}.script`
  if (ours.includes(script)) return ok(folder, `${PUBLIC_ADDRESSES} is ours`)
  if (enabled.some((entry) => isSameJob(entry, script)))
    return ok(folder, `${PUBLIC_ADDRESSES} is CTDB's own`)
  const none = `no ${PUBLIC_ADDRESSES} is enabled`
  return uses.inet || uses.inet6
    ? error(folder, `${none}: public addresses are never taken`, ENABLE)
    : ok(folder, `${none}, and there are no public addresses`)
}

const isOurs = (own: string, { path }: Entry) =>
  existsSync(own) && dirname(leadsTo(path).program) === realpathSync(own)

/** The scripts of ours that are enabled, by their names in our folder. None: the admin goes by CTDB's own. */
export function ourScripts(patient: Patient): string[] {
  const enabled = scripts(patient).filter((entry) => entry.kind === 'script')
  return enabled
    .filter((entry) => isOurs(patient.own, entry))
    .map(({ path }) => basename(leadsTo(path).program))
}

/** By the name after the number, of the file or of the link's target. */
function isSameJob({ path }: Entry, ours: string): boolean {
  const job = (file: string) => basename(file).replace(/^\d\d\./, '')
  return [path, leadsTo(path).program].some((each) => job(each) === job(ours))
}

function scripts({ folder }: Patient): Entry[] {
  return existsSync(folder) ? findHandlers(folder).filter(({ path }) => path.endsWith('.script')) : []
}

/** In the order in which an admin would look. */
export const FOLDER = { presence, ignored, broken, alike, addresses }
