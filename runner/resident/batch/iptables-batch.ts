import type { Answer } from '../../machine/machine.ts'
import { blockingRule, listRules, type FirewallProgram } from '../../net/clients/blocking-rule.ts'
import { isLocked, rulesIn } from '../../net/clients/firewall.ts'
import { burst } from './burst.ts'

type Argv = readonly string[]
/** Run a command; `items` are those on whose behalf. */
type Run = (argv: Argv, items: readonly Argv[]) => Promise<Answer>

/**
 * Rules in one transaction: what goes to the kernel in one message must fit into its buffer of 208 KiB, which only real root
 * exceeds. 300 rules with our comment fit, 400 do not.
 */
const MOST = 250

/** Where `-I` or `-D` stands in a command. */
const VERB = 3

const DONE: Answer = { status: 0, out: '', err: '' }

/** The rules of a burst, in the form `PROGRAM -w SECONDS -I|-D CHAIN RULE…`, in few transactions for each family. */
export function firewall(
  run: Run,
  restore: (program: string, input: string, items: readonly Argv[]) => Promise<Answer>,
): (argv: Argv) => Promise<Answer> {
  /** All or nothing: when one rule does not apply, none has been changed, and each half is tried, down to that rule by itself. */
  async function together(
    program: FirewallProgram,
    all: readonly Argv[],
    answers: Map<Argv, Answer>,
  ): Promise<void> {
    const [first] = all
    if (!first) return
    const answer =
      all.length === 1 ? await run(first, all) : await restore(`${program}-restore`, transaction(all), all)
    if (all.length === 1 || answer.status === 0 || isInVain(answer))
      return all.forEach((argv) => answers.set(argv, answer))
    const isIn = await inserted(program, all)
    if (!isIn) return all.forEach((argv) => answers.set(argv, answer))
    for (const argv of all) if (isIn(argv)) answers.set(argv, DONE)
    const left = all.filter((argv) => !isIn(argv))
    const half = Math.ceil(left.length / 2)
    await together(program, left.slice(0, half), answers)
    await together(program, left.slice(half), answers)
  }

  /** A program may fail after its work: a rule that is in already must not be put in twice. Undefined when nobody can tell. */
  async function inserted(
    program: FirewallProgram,
    all: readonly Argv[],
  ): Promise<((argv: Argv) => boolean) | undefined> {
    const insertions = all.filter((argv) => argv[VERB] === '-I')
    if (insertions.length === 0) return () => false
    const seen = rulesIn(await run(listRules(program), insertions))
    if (typeof seen === 'string') return undefined
    const rules = new Set(seen.map((block) => blockingRule(block, '-I').join(' ')))
    return (argv) => rules.has(argv.join(' '))
  }

  return burst<Argv, Answer>(async (all) => {
    const answers = new Map<Argv, Answer>()
    for (const program of new Set(all.map(([name = '']) => name))) {
      const mine = all.filter(([name]) => name === program)
      for (let i = 0; i < mine.length; i += MOST)
        await together(program as FirewallProgram, mine.slice(i, i + MOST), answers)
    }
    return all.map((argv) => answers.get(argv) ?? { status: 1, out: '', err: '' })
  })
}

/** One that had to be ended would hang again, and one that waited for the lock would wait again. */
function isInVain(answer: Answer): boolean {
  return answer.signal !== undefined || isLocked(answer)
}

/**
 * What `iptables-restore --noflush` reads. A rule that is put in is the first of its chain, so the ones put in last are
 * found first: 500 are taken out in 39 ms so, in 177 ms the other way.
 */
export function transaction(all: readonly Argv[]): string {
  const lines = all.map(([, , , ...rule]) => rule.join(' '))
  const isRemoval = (line: string) => line.startsWith('-D')
  const removals = lines.filter(isRemoval).toReversed()
  return ['*filter', ...lines.filter((line) => !isRemoval(line)), ...removals, 'COMMIT', ''].join('\n')
}

/** A rule that was being changed when the program was ended: it may be in, or out, already. */
export async function changeAgain(argv: Argv, run: Run): Promise<Answer> {
  const [program = '', wait = '', seconds = '', verb, ...rule] = argv
  const { status } = await run([program, wait, seconds, '-C', ...rule], [argv])
  const isDone = verb === '-I' ? status === 0 : status === 1
  return isDone ? { status: 0, out: '', err: '' } : await run(argv, [argv])
}
