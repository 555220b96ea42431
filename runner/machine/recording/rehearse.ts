import type { System } from '../machine.ts'
import { whyReadOnly } from '../files/disk.ts'
import { FileError } from '../errors.ts'

async function exists(machine: System, path: string): Promise<boolean> {
  try {
    return (await machine.read(path)) !== undefined
  } catch (error) {
    // some entries can only be written
    if (error instanceof FileError) return true
    throw error
  }
}

/**
 * A dry run: looks for real, changes nothing. Programs that would change something are taken to succeed, locks to
 * be free, and a look after a change shows what the handler says it would show (`assume`).
 * Put `witnessed` around it to see what would have been done.
 */
export function rehearsal(machine: System): System {
  return {
    async run(verb, argv, options) {
      if (verb === 'change') return { status: 0, out: '', err: '' }
      const answer = await machine.run(verb, argv, options)
      return options.assume ? { ...answer, out: options.assume(answer.out) } : answer
    },
    async read(path, { until, within } = {}) {
      const text = await machine.read(path, { within })
      return until ? until.assume(text ?? '') : text
    },
    async write(path) {
      if (!/^\/(?:proc|sys)\//.test(path)) return
      // a kernel without that sysctl refuses it in a rehearsal as well, and so does a file system that is read-only
      if (!(await exists(machine, path))) throw new FileError('write', path, 'ENOENT')
      const code = whyReadOnly(path)
      if (code !== undefined) throw new FileError('write', path, code)
    },
    hold: () => Promise.resolve(() => Promise.resolve()),
    find: (program) => machine.find(program),
    wait: () => Promise.resolve(),
  }
}
