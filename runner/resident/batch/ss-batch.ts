import { canonical } from '../../inet/address.ts'
import type { Answer } from '../../machine/machine.ts'
import { burst } from './burst.ts'
import { parseEndpoint } from '../../net/clients/connections.ts'

type Argv = readonly string[]
/** Run a command; `items` are those on whose behalf. */
type Run = (argv: Argv, items: readonly Argv[]) => Promise<Answer>

/**
 * One look at the connections of all addresses of a burst, each named by the last two words of its command, `src [ADDRESS]`;
 * each gets the lines of its own.
 */
export function connections(run: Run): (argv: Argv) => Promise<Answer> {
  const kinds = new Map<string, (argv: Argv) => Promise<Answer>>()
  return (argv) => {
    const question = argv.slice(0, -2)
    const key = question.join(' ')
    const ask = kinds.get(key) ?? burst<Argv, Answer>((all) => askTogether(run, question, all))
    kinds.set(key, ask)
    return ask(argv)
  }
}

/** Addresses in one filter: `ss` needs 2.3 s to make sense of one of 900. */
const MOST = 50

async function askTogether(run: Run, question: Argv, all: readonly Argv[]): Promise<Answer[]> {
  // what ends connections (-K) must name each; a look may see more than is asked for
  const isLook = !question.includes('-K')
  if (isLook && all.length > MOST) return eachItsOwn(await run(question, all), all)
  const answers: Answer[] = []
  for (let i = 0; i < all.length; i += MOST) {
    const some = all.slice(i, i + MOST)
    const sources = some.flatMap((argv, k) => [...(k > 0 ? ['or'] : []), ...argv.slice(-2)])
    const filter = some.length > 1 ? ['(', ...sources, ')'] : sources
    answers.push(...eachItsOwn(await run([...question, ...filter], some), some))
  }
  return answers
}

function eachItsOwn({ out, ...answer }: Answer, all: readonly Argv[]): Answer[] {
  const lines = byLocalAddress(out)
  // `ss` takes brackets around IPv4 as well; in a file that ctdbd reads they are no address
  const bare = (argv: Argv) => (argv.at(-1) ?? '').replace(/^\[(.*)\]$/, '$1')
  const linesOf = (argv: Argv) => lines.get(canonical(bare(argv)) ?? '') ?? []
  return all.map((argv) => ({ ...answer, out: linesOf(argv).join('') }))
}

function byLocalAddress(out: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of out.split('\n')) {
    const address = parseEndpoint(line.trim().split(/\s+/)[2] ?? '')?.address
    if (address === undefined) continue
    const mine = found.get(address) ?? []
    mine.push(`${line}\n`)
    found.set(address, mine)
  }
  return found
}
