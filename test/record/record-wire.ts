/**
 * `node dist/test/record/record-wire.js`: Debian's client and daemon talk through a relay that writes down
 * every byte, to fixtures/wire. What Debian's client never sends is sent by hand. Files of other origin are left
 * alone: the comment in each says where it is from.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ctdbEvent, startEventd, type Eventd } from '../lab/ctdb/eventd.ts'
import { DIST } from '../lab/paths.ts'

const FOLDER = join(DIST, '../fixtures/wire')
const ORIGIN = 'Debian ctdb 4.17.12+dfsg-0+deb12u4, x86_64'

interface Talk {
  asked: Buffer[]
  answered: Buffer[]
}

/** A folder whose socket leads to the daemon; one call of the client is one connection, in `talks`. */
async function relay(eventd: Eventd) {
  const dir = mkdtempSync(join(tmpdir(), 'relay-'))
  mkdirSync(join(dir, 'run'))
  const talks: Talk[] = []
  const server = createServer((client) => {
    const talk: Talk = { asked: [], answered: [] }
    talks.push(talk)
    const daemon = createConnection(eventd.socket)
    client.on('data', (chunk) => talk.asked.push(chunk)).pipe(daemon)
    daemon.on('data', (chunk) => talk.answered.push(chunk)).pipe(client)
  }).listen(join(dir, 'run/eventd.socket'))
  await once(server, 'listening')
  const close = () => {
    server.close()
    rmSync(dir, { recursive: true })
  }
  return { dir, talks, close }
}

function writeScripts(eventd: Eventd): void {
  eventd.script('legacy/10.aa.script', '#!/bin/sh\ncase "$1" in quiet) ;; *) echo "aa $*" ;; esac\n')
  eventd.script('legacy/20.bb.script', '#!/bin/sh\n', 0o644)
  const cases = [
    'fail) echo "exiting 1"; exit 1 ;;',
    'hang|monitor) echo hanging; sleep 20 ;;',
    'slow) sleep 2 ;;',
    'killed) kill -9 $$ ;;',
    'unicode) echo "Grüße 地址 🙂" ;;',
    String.raw`bytes) printf '\377\303 caf\351\n' ;;`,
    String.raw`nul) printf 'before\000behind\n' ;;`,
    String.raw`lines) printf 'one\n\n  two\nno newline' ;;`,
    'empty) echo ;;',
  ]
  eventd.script('legacy/30.cc.script', `#!/bin/sh\ncase "$1" in\n${cases.join('\n')}\nesac\n`)
  mkdirSync(join(eventd.dir, 'events/bare'))
  writeFileSync(join(eventd.dir, 'events/file'), '')
  symlinkSync('../legacy/10.aa.script', join(eventd.dir, 'events/bare/10.link.script'))
}

/** Calls of ctdb-event by the name of their files, in the order they are made. */
const CALLS: Record<string, string> = {
  'run-ok': 'run 30 legacy ok a b',
  'run-no-words': 'run 30 legacy ok',
  'run-quiet': 'run 30 legacy quiet',
  'run-ipv6-words': 'run 30 legacy takeip eth0 2001:db8::10 64',
  'run-unicode-words': 'run 5 legacy unicode Grüße 🙂',
  'run-failed': 'run 30 legacy fail',
  'run-timed-out': 'run 1 legacy hang',
  'run-no-component': 'run 5 nosuch ok',
  'run-component-is-file': 'run 5 file ok',
  'status-ok': 'status legacy ok',
  'status-quiet': 'status legacy quiet',
  'status-unicode': 'status legacy unicode',
  'status-failed': 'status legacy fail',
  'status-timed-out': 'status legacy hang',
  'status-never-ran': 'status legacy never',
  'status-no-component': 'status nosuch ok',
  'status-component-is-file': 'status file ok',
}

/** Events that are only run in order to ask for their status. */
const EVENTS = ['killed', 'bytes', 'nul', 'lines', 'empty']

/** The bodies of requests that Debian's client never sends, after the reqid 101. */
const BY_HAND: Record<string, Buffer[]> = {
  'script-enable': [word(3), name('legacy'), name('20.bb'), word(1)],
  'script-disable': [word(3), name('legacy'), name('20.bb.script'), word(0)],
  'script-absent': [word(3), name('legacy'), name('99.zz'), word(1)],
  'script-is-link': [word(3), name('bare'), name('10.link'), word(0)],
  'script-no-component': [word(3), name('nosuch'), name('20.bb'), word(1)],
  'script-bad-name': [word(3), name('legacy'), name('bb'), word(1)],
  'made-run-null-event': [word(1), name('legacy'), word(0), word(0), word(5), word(0)],
  'made-run-all-empty-words': [word(1), name('legacy'), name('fail'), name(''), word(5), word(1)],
  'made-status-empty-names': [word(2), name(''), name('')],
  'made-status-version-7-trailing': [word(2), name('legacy'), name('never'), Buffer.from('extra')],
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function name(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`)
  return Buffer.concat([word(bytes.length), bytes])
}

function byHand(file: string, body: Buffer[]): Buffer {
  const content = Buffer.concat(body)
  return Buffer.concat([
    word(content.length + 12),
    word(file.includes('version-7') ? 7 : 0),
    word(101),
    content,
  ])
}

async function send(socket: string, bytes: Buffer): Promise<Buffer> {
  const connection = createConnection(socket)
  connection.write(bytes)
  const [answer] = (await once(connection, 'data')) as [Buffer]
  connection.destroy()
  return answer
}

function save(file: string, comment: string, bytes: Buffer): void {
  const lines = bytes.toString('hex').match(/.{1,32}/g) ?? []
  const text = lines.map((line) => `${(line.match(/../g) ?? []).join(' ')}\n`).join('')
  writeFileSync(join(FOLDER, `${file}.hex`), `# ${comment}\n${text}`)
}

function saveTalk(file: string, what: string, talk: Talk | undefined): void {
  save(
    `${file}.request`,
    `${what}: request, recorded between programs of ${ORIGIN}`,
    Buffer.concat(talk?.asked ?? []),
  )
  save(
    `${file}.reply`,
    `${what}: reply, recorded between programs of ${ORIGIN}`,
    Buffer.concat(talk?.answered ?? []),
  )
}

async function recordAll(eventd: Eventd): Promise<void> {
  const { dir, talks, close } = await relay(eventd)
  const call = async (file: string, words: string) => {
    const at = talks.length
    await ctdbEvent(dir, ...words.split(' '))
    saveTalk(file, `ctdb-event ${words}`, talks[at])
  }
  for (const [file, words] of Object.entries(CALLS)) await call(file, words)
  for (const event of EVENTS) {
    await ctdbEvent(dir, 'run', '9', 'legacy', event)
    await call(`status-${event}`, `status legacy ${event}`)
  }
  await ctdbEvent(dir, 'run', '9', 'bare', 'x')
  await call('status-link', 'status bare x')
  mkdirSync(join(eventd.dir, 'events/none'))
  await call('run-no-scripts', 'run 9 none x')
  await call('status-no-scripts', 'status none x')
  const monitor = call('run-cancelled', 'run 30 legacy monitor')
  await setTimeout(500)
  const slow = ctdbEvent(dir, 'run', '30', 'legacy', 'slow')
  await monitor
  await setTimeout(200)
  await call('run-refused', 'run 30 legacy monitor')
  await slow
  close()
  for (const [file, body] of Object.entries(BY_HAND)) {
    const asked = byHand(file, body)
    save(`${file}.request`, `${file}: request, made by hand (test/record/record-wire.ts)`, asked)
    save(`${file}.reply`, `${file}: reply of ctdb-eventd, ${ORIGIN}`, await send(eventd.socket, asked))
  }
}

mkdirSync(FOLDER, { recursive: true })
const eventd = await startEventd()
try {
  writeScripts(eventd)
  await recordAll(eventd)
} finally {
  await eventd.close()
}
