/** TCP on the hosts of a lab: a server, connections to it, and whether anybody answers at all. */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '../wait-for.ts'
import type { Namespace } from './namespace.ts'

/** Does anybody answer at this address? An ordinary machine may lack ping; a refused connection tells as much. */
export async function isAnswered(host: Namespace, address: string): Promise<boolean> {
  const { out } = await host.run(process.execPath, '-e', KNOCK, address)
  return out === 'ECONNREFUSED'
}

const KNOCK = `setTimeout(() => process.exit(), 5000).unref()
require('net').connect(9, process.argv[1]).on('error', e => process.stdout.write(e.code))`

/** A TCP server that sends back what it gets. */
export async function serve(host: Namespace, address: string, port: number): Promise<void> {
  const { text } = host.listen(process.execPath, '-e', SERVER, address, String(port))
  await waitFor(`a server on ${address}`, () => text().includes('listening'))
}

const SERVER = `const server = require('net').createServer(c => { c.on('data', d => c.write(d)); c.on('error', () => {}) })
server.listen({ host: process.argv[1], port: Number(process.argv[2]) }, () => console.log('listening'))
setTimeout(() => process.exit(), 120000)`

export interface Client {
  /** `connected`, then `ECONNRESET`, `end` or what else became of it; `echo` when the server answered. */
  events: () => string[]
  /** Send something. */
  speak: () => void
}

/** A TCP connection that is there when this resolves. */
export async function connect(host: Namespace, address: string, port: number): Promise<Client> {
  const file = join(tmpdir(), `eventscript-speak.${process.pid}.${(clients += 1)}`)
  const { text } = host.listen(process.execPath, '-e', CLIENT, address, String(port), file)
  const events = () => text().split('\n').filter(Boolean)
  await waitFor(`a connection to ${address}`, () => events().includes('connected'))
  return { events, speak: () => writeFileSync(file, '') }
}

let clients = 0

/** The client speaks when a file appears: a child of the lab has no standard input. */
const CLIENT = `const fs = require('fs'), [address, port, file] = process.argv.slice(1)
const c = require('net').connect(Number(port), address, () => console.log('connected'))
c.on('data', () => console.log('echo')); c.on('end', () => console.log('end'))
c.on('error', e => { console.log(e.code); process.exit() })
setInterval(() => { if (fs.existsSync(file)) { fs.rmSync(file); c.write('x') } }, 20)
setTimeout(() => process.exit(), 120000)`
