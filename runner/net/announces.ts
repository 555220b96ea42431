import type { Node } from '../node/node.ts'

/** Does this node announce addresses at all? */
export function announces({ settings }: Node): boolean {
  return settings.option('EVENTSCRIPT_ANNOUNCE') === 'yes'
}
