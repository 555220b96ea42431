/** The table of lines in CTDB's files, fixtures/ctdb-files/lines.json: what the real ctdbd makes of each, and what we do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { confValues, isFailoverDisabled, readConf } from '../../../runner/eventd/conf/conf.ts'
import { Refusal } from '../../../runner/base/refusal.ts'
import { canonical } from '../../../runner/inet/address.ts'
import { live } from '../../../runner/machine/live/live.ts'
import { doorTo } from '../../../runner/machine/machine.ts'
import { parsePublicAddresses } from '../../../runner/net/address/public-addresses.ts'
import { parseNodes } from '../../../runner/net/ctdb/nodes-file.ts'
import { groupOf, parseMembers, type NodeStatus } from '../../../runner/net/lvs/nodes.ts'
import { readOptions } from '../../../runner/node/options-files.ts'
import { REPOSITORY } from '../paths.ts'

/** The releases of ctdb whose verdicts the table has. */
export const RELEASES = ['4.17', '4.25'] as const

export type Release = (typeof RELEASES)[number]

/** A verdict is `ends`, or what the daemon (for lvs_nodes and script.options: CTDB's scripts) runs with, in one line. */
export type Line = { [R in Release]: string } & {
  file: 'public_addresses' | 'nodes' | 'ctdb.conf' | 'lvs_nodes' | 'script.options'
  what: string
  /** The whole file. */
  text: string
  /** Of ctdb.conf: the section and key that is asked for. */
  key?: string
  /** Our own reading, where another one is right; `why` says the reason. */
  ours?: string
  why?: string
}

export const TABLE = join(REPOSITORY, 'fixtures/ctdb-files/lines.json')

export const LINES = JSON.parse(readFileSync(TABLE, 'utf8')) as Line[]

/** The files beside the one in question; the options are read without a daemon. */
const usual = ({ file }: Line): Record<string, string> =>
  file === 'script.options' ? {} : { nodes: '127.0.0.1\n', 'ctdb.conf': '[logging]\n\tlog level = NOTICE\n' }

/** The variable that the cases of script.options set. */
const OPTION = 'EVENTSCRIPT_DAD_CONFLICT'

const HELPERS = '/usr/libexec/ctdb'

function question({ file, key = '' }: Line): string {
  const [section, name] = key.split('/')
  if (file === 'ctdb.conf') return `${HELPERS}/ctdb-config get ${section} '${name}'`
  if (file === 'lvs_nodes')
    return `${HELPERS}/ctdb_lvs list >/run/list || { echo ends; exit; }; [ ! -s /run/list ] || echo serves; ${HELPERS}/ctdb_lvs leader >/run/leader; [ ! -s /run/leader ] || echo leads`
  if (file === 'script.options')
    return `. /etc/ctdb/functions; load_script_options; set -f; set -- $${OPTION}; printf '%s\\n' "$*"; echo read`
  return ''
}

/** Why this machine's ctdbd cannot give the verdict of that release; undefined when it can. */
export async function whyNoVerdict(release: Release): Promise<string | undefined> {
  const { stdout } = await execa('ctdb', ['version'], { reject: false })
  return stdout.startsWith(`${release}.`) ? undefined : `needs ctdb ${release}: this is "${stdout}"`
}

/** The verdict of the real ctdbd: this machine's, or that of the chroot `root`. Throws what the judge complains of. */
export async function judged(line: Line, root?: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'eventscript-judge-'))
  try {
    const files = { ...usual(line), [line.file]: line.text, ask: `${question(line)}\n` }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const judge = join(REPOSITORY, 'test/lab/ctdb/judge')
    const { stdout } = await execa(judge, [folder, ...(root === undefined ? [] : [root])])
    return verdict(line, stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function verdict({ file }: Line, printed: string): string {
  const [end, ...lines] = printed.split('\n')
  if (end !== 'runs') return 'ends'
  const isRow = (line: string) => /^\|.*\|$/.test(line)
  const rows = lines.filter(isRow).map((line) => line.split('|').slice(1, -1))
  // the rows of addresses have five columns, those of nodes eleven
  const wide = file === 'nodes'
  if (file === 'nodes' || file === 'public_addresses')
    return rows
      .filter((row) => row.length > 5 === wide)
      .map(([first = '', second = '', , , ifaces = '']) => `${first} ${wide ? second : ifaces}`)
      .toSorted()
      .join('; ')
  const said = lines.filter((line) => !isRow(line))
  if (file === 'script.options') return said.at(-1) === 'read' ? said.slice(0, -1).join('\n') : 'ends'
  return said.join(', ')
}

/** Our own verdict on the same file. */
export async function ours(line: Line): Promise<string> {
  switch (line.file) {
    case 'public_addresses':
      return ourAddresses(line.text)
    case 'nodes':
      return ourNodes(line.text)
    case 'lvs_nodes':
      return ourMembers(line.text)
    default:
      return await inFile(line)
  }
}

function ourAddresses(text: string): string {
  const { entries, problems } = parsePublicAddresses(text, 'public_addresses')
  if (problems.length > 0) return 'ends'
  const rows = entries.map(({ address, ifaces }) => `${address} ${ifaces.join(',')}`)
  return rows.toSorted().join('; ')
}

function ourNodes(text: string): string {
  const nodes = parseNodes(text)
  const isWrong = nodes.some(
    ({ problem, harmless, deleted }) => problem !== undefined && !harmless && !deleted,
  )
  if (isWrong || nodes.length === 0) return 'ends'
  const rows = nodes.flatMap(({ node, address, deleted }) => (deleted ? [] : [`${node} ${address}`]))
  return rows.toSorted().join('; ')
}

/** The lone node of the judge: unhealthy, and so taken only where there is no other. */
const STATUS: Omit<NodeStatus, 'number' | 'address'> = {
  unknown: false,
  disabled: false,
  unhealthy: true,
  inactive: false,
  self: true,
}

function ourMembers(text: string): string {
  const { members, problems } = parseMembers(text, 'lvs_nodes', canonical('10.0.0.100') ?? '')
  if (problems.length > 0) return 'ends'
  const { leader, servers } = groupOf(members, [{ ...STATUS, number: '0', address: '127.0.0.1' }])
  return [...(servers.length > 0 ? ['serves'] : []), ...(leader ? ['leads'] : [])].join(', ')
}

async function inFile({ file, text, key = '' }: Line): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'eventscript-lines-'))
  const path = join(folder, file)
  try {
    writeFileSync(path, text)
    if (file === 'script.options') return (await readOptions(doorTo(live()), [path], {})).values[OPTION] ?? ''
    await readConf(path, {})
    if (key === 'failover/disabled') return String(await isFailoverDisabled(path))
    return (await confValues(path)).get(key) ?? ''
  } catch (error) {
    if (error instanceof Refusal) return 'ends'
    throw error
  } finally {
    rmSync(folder, { recursive: true })
  }
}
