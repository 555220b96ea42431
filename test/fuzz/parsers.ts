/** Every parser of text from outside: files of CTDB and of admins, answers of programs, recordings, words of a command line. */
import { readIni } from '../../runner/base/ini.ts'
import { oneLine } from '../../runner/base/blanks.ts'
import { listenersIn } from '../../runner/eventd/process/ctdbd-life.ts'
import { parseStat } from '../../runner/eventd/process/ctdbd-watch.ts'
import {
  parseFiles,
  parseHolders,
  parseLocks,
  parseProcesses,
  parseStack,
} from '../../runner/eventd/hung/proc.ts'
import { canonical, hexDigits } from '../../runner/inet/address.ts'
import { parseNetwork } from '../../runner/inet/network.ts'
import { parseEventStatus } from '../../runner/inspect/check/handlers.ts'
import { parseRange } from '../../runner/inspect/check/range.ts'
import { nodeNamedIn } from '../../runner/install/unit-text.ts'
import { parseUnit, pathIn } from '../../runner/install/unit.ts'
import { wrappedIn } from '../../runner/install/wrapper.ts'
import { fromShell, toShell } from '../../runner/machine/argv.ts'
import { readTranscript } from '../../runner/machine/recording/read-transcript.ts'
import { redacted } from '../../runner/machine/recording/redact/redacted.ts'
import { OPTION_RULES } from '../../runner/node/option-rules.ts'
import { redactor } from '../../runner/machine/recording/redact/redact.ts'
import { withoutUsage } from '../../runner/machine/remedy/busybox.ts'
import { distributionIn } from '../../runner/machine/remedy/packages.ts'
import { whyBondIsDown } from '../../runner/net/address/link.ts'
import { parsePublicAddresses } from '../../runner/net/address/public-addresses.ts'
import { failedIn } from '../../runner/net/address/siblings.ts'
import { why } from '../../runner/net/answer.ts'
import { whichArping } from '../../runner/net/arping.ts'
import { parseConnections, parseEndpoint } from '../../runner/net/clients/connections.ts'
import { parseBlocks } from '../../runner/net/clients/blocking-rule.ts'
import { parseNodes } from '../../runner/net/ctdb/nodes-file.ts'
import { wordsOf } from '../../runner/net/ctdb/nodes-list.ts'
import { parseTable } from '../../runner/net/ctdb/tool.ts'
import { parseParked, parseWatched } from '../../runner/net/dad/parked.ts'
import { dadState } from '../../runner/net/dad/state.ts'
import { parseLinks, rows } from '../../runner/net/ip-json.ts'
import { parseServices } from '../../runner/net/lvs/ipvs.ts'
import { parseMembers } from '../../runner/net/lvs/nodes.ts'
import { parseRoutingFile } from '../../runner/net/routing/wanted/routes-file.ts'
import { parseTables, withoutOurs } from '../../runner/net/routing/names/rt-tables.ts'
import { parseRoutes, parseRules } from '../../runner/net/routing/kernel/shown-routes.ts'
import { parseStaticRoutes } from '../../runner/net/routing/static-routes.ts'
import { parseKept } from '../../runner/net/sysctl/record.ts'
import { parseVersion } from '../../runner/node/ctdb-version.ts'
import { parseEvent } from '../../runner/node/events.ts'
import { choicesIn } from '../../runner/node/options.ts'
import { plainAssignments } from '../../runner/node/plain-options.ts'

/** Some answer of a program. */
const answer = (text: string) => ({ status: 1, out: text, err: text })

/** An option of each kind: a word, a number, a word for each address, any text. */
const OF_EACH_KIND = [
  'CTDB_KILLTCP_USE_SS_KILL',
  'EVENTSCRIPT_DAD_PROBES',
  'EVENTSCRIPT_DAD',
  'CTDB_PER_IP_ROUTING_CONF',
]

const redact = redactor('host.example')

/** The text as each kind of step has it. */
function redactOthers(text: string): void {
  const ignored = { begins() {}, ended() {}, notes() {} }
  const witness = redacted(ignored, (same) => same, OPTION_RULES)
  for (const path of ['/etc/ctdb/script.options', '/etc/ctdb/nodes'])
    witness.ended({ verb: 'read', path, text })
  for (const program of ['ip', 'iptables'])
    witness.ended({ verb: 'ask', how: 'run', argv: [program], answer: { status: 0, out: text, err: text } })
  witness.notes({ verb: 'say', text })
}

/** Each by its name. A parser may throw a Refusal, and nothing else. */
export const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  // files of CTDB and of admins
  public_addresses: (text) => parsePublicAddresses(text, 'f'),
  nodes: parseNodes,
  'nodes list': (text) => wordsOf(`!/${text}`),
  'ctdb.conf': readIni,
  'script.options': plainAssignments,
  options: (text) => choicesIn(Object.fromEntries(OF_EACH_KIND.map((name) => [name, text]))),
  lvs_nodes: (text) => parseMembers(text, 'f', '10.0.0.100'),
  policy_routing: (text) => parseRoutingFile(text, 'f'),
  'static-routes': (text) => parseStaticRoutes(text, 'f'),
  rt_tables: (text) => [parseTables(text), withoutOurs(text)],
  unit: (text) => [parseUnit(text), pathIn([text]), nodeNamedIn(text)],
  wrapper: wrappedIn,
  'os-release': distributionIn,
  // files of ours
  parked: parseParked,
  'watched addresses': parseWatched,
  'kept sysctls': parseKept,
  recording: readTranscript,
  redaction: redact,
  'redaction of what others wrote': redactOthers,
  // answers of programs
  'ip -json': (text) =>
    [parseLinks, (json: string) => rows(json, 'things'), parseRules, parseRoutes].map((each) =>
      orRefusal(() => each(text)),
    ),
  'ip -batch': (text) => failedIn(text, []),
  ss: parseConnections,
  iptables: parseBlocks,
  ipvsadm: (text) => parseServices(text, '10.0.0.100'),
  'ctdb -X': (text) => parseTable(text, ['Node']),
  'ctdb event status': (text) => parseEventStatus({ status: 0, out: text, err: '' }),
  'ctdb version': parseVersion,
  'arping -V': whichArping,
  'a failure': (text) => [why(answer(text)), withoutUsage(text)],
  ps: parseProcesses,
  'grep and find': (text) => [parseHolders(text), parseFiles(text)],
  // files of the kernel
  if_inet6: (text) => dadState(text, 'fd00::1', 'eth0'),
  bonding: (text) => whyBondIsDown('bond0', text),
  locks: (text) => [parseLocks(text), parseStack(text), parseStat(text), listenersIn(text)],
  // words
  address: (text) => {
    const address = canonical(text)
    return address?.includes(':') ? hexDigits(address) : address
  },
  network: (text) => [parseNetwork(text, 'inet'), parseNetwork(text, 'inet6')],
  endpoint: parseEndpoint,
  event: (text) => [parseEvent(text, []), parseEvent('takeip', text.split(' '))],
  range: parseRange,
  'command line': (text) => [fromShell(text), toShell([text])],
  cell: oneLine,
}

function orRefusal(parse: () => unknown): unknown {
  try {
    return parse()
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['Refusal', 'Usage', 'BadTranscript'])

/** A sentence for the admin, by the name of its class. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && REFUSALS.has(error.name)
}
