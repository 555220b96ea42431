import type { Answer } from '../system/door.ts'
import { burst } from './burst.ts'

type Argv = readonly string[]

/** Is it a rule that is put in or taken out: `ip6tables -w -I INPUT …`? */
export function isRuleChange([program = '', wait, verb = '']: Argv): boolean {
  return /^ip6?tables$/.test(program) && wait === '-w' && /^-[ID]$/.test(verb)
}

/**
 * The rules of a burst in one transaction for each family. It is all or nothing: when one rule does not apply, none
 * has been changed, and each is tried by itself, so that the reason is that of its own address.
 */
export function firewall(
  run: (argv: Argv) => Promise<Answer>,
  restore: (program: string, input: string) => Promise<Answer>,
): (argv: Argv) => Promise<Answer> {
  return burst<Argv, Answer>(async (all) => {
    const answers = new Map<Argv, Answer>()
    for (const program of new Set(all.map(([name = '']) => name))) {
      const mine = all.filter(([name]) => name === program)
      const together = mine.length > 1 ? await restore(`${program}-restore`, transaction(mine)) : undefined
      for (const argv of mine) answers.set(argv, together?.status === 0 ? together : await run(argv))
    }
    return all.map((argv) => answers.get(argv) ?? { status: 1, out: '', err: '' })
  })
}

/** What `iptables-restore --noflush` reads. */
export function transaction(all: readonly Argv[]): string {
  return ['*filter', ...all.map(([, , ...rule]) => rule.join(' ')), 'COMMIT', ''].join('\n')
}
