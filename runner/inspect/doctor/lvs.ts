/** The nodes file and the options of an LVS group: what 91.lvs would refuse at an event is found before the event. */
import { linesForScripts, trimmed, wordsIn } from '../../base/blanks.ts'
import { familyOf, canonical } from '../../inet/address.ts'
import { isNamed } from '../../net/ip-json.ts'
import { parseMembers } from '../../net/lvs/nodes.ts'
import { parseNodes } from '../../net/ctdb/nodes-file.ts'
import { parsePublicAddresses } from '../../net/address/public-addresses.ts'
import { about, type Examination, type Finding, type Patient } from '../finding.ts'

const { ok, warn, error } = about('lvs')

const group: Examination = async (patient) => {
  const { door, settings } = patient
  const file = settings?.text('CTDB_LVS_NODES') ?? ''
  if (file === '') return []
  const text = await door.read(file)
  if (text === undefined)
    return error(
      file,
      'no such file: CTDB_LVS_NODES names it',
      'list the private address of each node of the group',
    )
  const wanted = settings?.text('CTDB_LVS_PUBLIC_IP') ?? ''
  const publicIp = canonical(wanted)
  const found = [
    ...ofAddress(wanted, publicIp, patient),
    ...ofInterface(settings?.text('CTDB_LVS_PUBLIC_IFACE') ?? '', text, patient),
    ...ofNodes(file, text, publicIp, patient),
  ]
  return found.length > 0 ? found : ok(file, `a group that serves ${publicIp}`)
}

function ofAddress(
  wanted: string,
  publicIp: string | undefined,
  { base, publicAddresses }: Patient,
): Finding[] {
  const option = 'CTDB_LVS_PUBLIC_IP'
  if (wanted === '')
    return error(option, 'not set: every event fails', 'set it to the address that clients use')
  if (publicIp === undefined)
    return error(option, `"${wanted}" is no IP address: every event fails`, 'an address, without a mask')
  const file = `${base}/public_addresses`
  const lines = (publicAddresses ?? '').split('\n')
  const line = lines.findIndex((each) =>
    parsePublicAddresses(each, file).entries.some(({ address }) => address === publicIp),
  )
  if (line < 0) return []
  return error(
    option,
    `${publicIp} is a public address too (line ${line + 1} of public_addresses): ctdbd would move it`,
    `take it out of ${file}`,
  )
}

function ofInterface(iface: string, text: string, { nodes, links }: Patient): Finding[] {
  const option = 'CTDB_LVS_PUBLIC_IFACE'
  if (iface === '')
    return mayLead(text, nodes, links)
      ? error(option, 'not set, and this node may become the leader: every event fails', 'set it')
      : []
  if (links.length === 0 || links.some((link) => isNamed(link, iface))) return []
  return error(option, `${iface}: there is no such interface`, '"ip link show" lists the interfaces')
}

/** Is one of this node's own private addresses on a line of its own, without an option? */
function mayLead(text: string, nodes: Patient['nodes'], links: Patient['links']): boolean {
  const held = links.flatMap(({ addresses }) => addresses.map(({ address }) => address))
  const own = parseNodes(nodes.text ?? '').flatMap(({ address, deleted }) => (deleted ? [] : (address ?? [])))
  return linesForScripts(text).some((line) => {
    const address = canonical(trimmed(line))
    return address !== undefined && own.includes(address) && held.includes(address)
  })
}

function ofNodes(file: string, text: string, publicIp: string | undefined, { nodes }: Patient): Finding[] {
  // without a valid address its family is not judged
  const lines = linesForScripts(text)
  const { members, problems } = parseMembers(text, file, publicIp ?? familyIn(lines))
  const listed = parseNodes(nodes.text ?? '').filter(({ deleted }) => !deleted)
  const first = new Map<string, number>()
  const odd = lines.flatMap((line, i) => {
    const address = canonical(wordsIn(line)[0] ?? '')
    if (address === undefined) return []
    const earlier = first.get(address)
    if (earlier !== undefined)
      return warn(file, `line ${i + 1}: ${address} is there already, in line ${earlier}`, 'remove that line')
    first.set(address, i + 1)
    if (nodes.text === undefined || listed.some((node) => node.address === address)) return []
    return warn(
      file,
      `line ${i + 1}: ${address} is no node of this cluster: it never serves`,
      'repair that line, or remove it',
    )
  })
  const bad = problems.flatMap((problem) =>
    error(file, problem.replace(`${file} `, ''), 'repair that line: every event fails'),
  )
  const leaderless =
    problems.length === 0 && !members.some(({ followerOnly }) => !followerOnly)
      ? error(file, 'no node in it may lead: nobody serves', 'a line without follower-only')
      : []
  return [...bad, ...odd, ...leaderless]
}

/** An address of the same family as the first one in the file. */
function familyIn(lines: readonly string[]): string {
  const first = lines.flatMap((line) => canonical(wordsIn(line)[0] ?? '') ?? [])[0]
  return familyOf(first ?? '::') === 'inet' ? '0.0.0.0' : '::'
}

export const LVS = { group }
