/** ctdbd may hang: its tool has so much time and no more, and whoever asks goes on with what is known without CTDB. */
import { refuse } from '../../base/refusal.ts'
import { altered, ENDED_LATE, type System } from '../../machine/machine.ts'

/** The sentence in place of an answer: `words` are those of the ctdb tool, which was ended after so many milliseconds. */
export function silentCtdbd(words: readonly string[], ms: number): string {
  const asked = `"ctdb ${words.join(' ')}" was ended after ${(ms / 1000).toFixed(1)} s`
  return `ctdbd does not answer: ${asked}: look at it with "ps -o pid,stat,wchan:20,args -C ctdbd"`
}

/**
 * The same machine, on which all questions to ctdbd by its `tool` together take so many milliseconds at most. A question without
 * an answer rejects with a Refusal, and so does every later one at once. The event daemon is another process: questions to
 * that daemon are not counted.
 */
export function boundCtdb(system: System, tool: readonly string[], ms: number): System {
  const deadline = performance.now() + ms
  let silence: string | undefined
  return altered(system, {
    async run(verb, argv, options) {
      const words = wordsFor(tool, argv)
      if (words === undefined || words[0] === 'event') return await system.run(verb, argv, options)
      if (silence !== undefined) return refuse(silence)
      const began = performance.now()
      const answer = await system.run(verb, argv, { ...options, within: Math.max(1, deadline - began) })
      if (answer.status !== ENDED_LATE) return answer
      silence = silentCtdbd(words, performance.now() - began)
      return refuse(silence)
    },
  })
}

/** The words for the tool; undefined when the command is another program. */
function wordsFor(tool: readonly string[], argv: readonly string[]): readonly string[] | undefined {
  return tool.every((word, i) => argv[i] === word) ? argv.slice(tool.length) : undefined
}
