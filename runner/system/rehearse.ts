import type { System } from './door.ts'

/**
 * A dry run: looks for real, changes nothing. Programs that would change something are taken to succeed, locks to
 * be free, and what is looked at behind a change is shown as the handler says it would be (`assume`).
 * Put `recorded` around it to see what would have been done.
 */
export function rehearsal(machine: System): System {
  return {
    async run(verb, argv, options) {
      if (verb === 'change') return { status: 0, out: '', err: '' }
      const answer = await machine.run(verb, argv, options)
      return options.assume ? { ...answer, out: options.assume(answer.out) } : answer
    },
    async read(path, until) {
      const text = await machine.read(path)
      return until ? until.assume(text ?? '') : text
    },
    write: () => Promise.resolve(),
    hold: () => Promise.resolve(() => Promise.resolve()),
    find: (program) => machine.find(program),
  }
}
