/**
 * A real cluster of three nodes, and ctdbd killed on one of them; then on another with our event daemon as well, where
 * `eventscript cleanup` is what systemd would call. Needs root.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t from '../tap.ts'
import { MAIN } from '../lab/paths.ts'
import {
  askIn,
  clusterIn,
  eventually,
  hasShare,
  held,
  kill,
  OUR_DAEMON,
  troubleIn,
  whyNoCluster,
  type Cluster,
} from '../lab/ctdb/nodes.ts'

const NAME = 'esca'
const DIR = '/tmp/eventscript-crash'
const NODES = 3
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'
const ADDRESSES = 6
/** Seconds from when the survivors see that the node has gone. */
const SERVED_WITHIN = 15

interface Address {
  local?: string
  tentative?: boolean
}

/** The public addresses in that node's kernel, of a node without ctdbd as well; those that cannot be used yet in brackets. */
async function inKernel(node: number): Promise<string[]> {
  const { stdout } = await execa('ip', ['-n', `${NAME}${node}`, '-json', 'addr', 'show', 'dev', 'eth0'])
  const links = JSON.parse(stdout) as { addr_info: Address[] }[]
  return links
    .flatMap((link) => link.addr_info)
    .filter(({ local = '' }) => /^(?:fd02::1:|10\.9\.[1-9])/.test(local))
    .map(({ local, tentative }) => (tentative ? `(${local})` : `${local}`))
}

const onNodes = async (nodes: readonly number[]) =>
  (await Promise.all(nodes.map((node) => inKernel(node)))).flat().toSorted()

/** As systemd calls it, after the end of ctdb.service: a bare environment, the node's files and network. */
const cleanUp = (node: number) => askIn(NAME, DIR, {})('exec', `${node}`, 'env', '-i', PATH, MAIN, 'cleanup')

/** The flags of that node as another sees it: disconnected, unknown, banned, disabled, unhealthy … */
async function flagsOf(cluster: Cluster, node: number, seenBy: number): Promise<string[]> {
  // its exit status is the flags
  const out = await cluster('exec', `${seenBy}`, 'sh', '-c', 'ctdb -X status || :')
  const row = out.split('\n').find((line) => line.startsWith(`|${node}|`))
  return row?.split('|').slice(3, 10) ?? []
}

const why = whyNoCluster()

if (why) t.plan(0, why)
else
  for (const family of ['6', '4'])
    t.test(`IPv${family}: a node whose ctdbd is killed takes nobody with it`, async (t) => {
      const cluster = clusterIn(NAME, DIR, OUR_DAEMON)
      t.teardown(() => cluster('down'))
      t.comment(await cluster('up', `${NODES}`, `${ADDRESSES}`, family))
      for (const node of ['0', '1', '2'])
        t.ok(await hasShare(cluster, node, ADDRESSES / NODES), `node ${node} has its share`)
      let all: string[] = []
      const isReady = async () => {
        all = await onNodes([0, 1, 2])
        return all.length === ADDRESSES && !all.join().includes('(')
      }
      t.ok(await eventually(isReady), 'all can be used')

      async function survives(dead: number, survivors: readonly number[]): Promise<void> {
        const [first = 0] = survivors
        t.ok(
          await eventually(async () => (await flagsOf(cluster, dead, first))[0] === '1'),
          `node ${first} sees that node ${dead} has gone`,
        )
        const noticed = performance.now()
        t.ok(
          await eventually(async () => (await onNodes(survivors)).join() === all.join(), SERVED_WITHIN),
          'every address is up on a survivor, and not tentative',
        )
        t.comment(`served ${Math.round(performance.now() - noticed)} ms after the survivors noticed`)
        t.strictSame(await inKernel(dead), [], 'and none on the dead node')
        // two failed takeover runs would ban a node; they come a second apart
        await sleep(5000)
        for (const node of survivors)
          t.strictSame(
            await flagsOf(cluster, node, node),
            ['0', '0', '0', '0', '0', '0', '0'],
            `node ${node} is well`,
          )
        t.strictSame(troubleIn(DIR, NODES), { timeouts: 0, bans: 0 }, 'nothing timed out, nobody was banned')
        t.strictSame(await onNodes(survivors), all)
      }

      const killed = performance.now()
      await kill(cluster, '2', 'ctdbd')
      t.ok(
        await eventually(async () => (await inKernel(2)).length === 0),
        'the dead node drops its addresses',
      )
      t.comment(`dropped ${Math.round(performance.now() - killed)} ms after the kill`)
      await survives(2, [0, 1])

      t.equal((await held(cluster, '1')).length, ADDRESSES / 2)
      await kill(cluster, '1', 'ctdbd', 'eventd')
      t.equal((await inKernel(1)).length, ADDRESSES / 2, 'nobody is left to drop them')
      const cleaned = await cleanUp(1)
      t.match(cleaned, { status: 0, err: '' })
      t.match(cleaned.out, `${ADDRESSES / 2} addresses dropped`)
      t.match(await cleanUp(1), { status: 0, out: '', err: '' }, 'again: nothing to do or say')
      await survives(1, [0])

      await cluster('ctdb', '0', 'shutdown').catch(() => '') // the tool loses its connection
      t.ok(await eventually(async () => (await inKernel(0)).length === 0), 'the last one is shut down')
      const log = () => readFileSync(join(DIR, '0/out'), 'utf8')
      t.ok(await eventually(async () => /^Shutting down$/m.test(log())), 'and so is our event daemon')
      t.notMatch(log(), /gone away|last act/, 'an orderly end needs no last act')
    })
