import type { Node } from '../handler.ts'
import { canonical } from './address.ts'

/**
 * The addresses that this node hosts but keeps off the wire, because another host has them: a line each in
 * `VARDIR/parked`, which begins with the address. No such file: none is parked.
 */
export async function parkedHere(node: Node): Promise<string[]> {
  const text = (await node.read(`${node.settings.vardir}/parked`)) ?? ''
  return text.split('\n').flatMap((line) => canonical(line.trim().split(/\s/)[0] ?? '') ?? [])
}
