/**
 * The one store of sysctls that are kept and put back. A record is on disk before a sysctl is changed: a run that is
 * killed in between leaves a line, not a value that nobody knows. There are two records of one form, the times of the
 * duplicate check and the sysctls of LVS; the list of parked addresses (dad/parked.ts) keeps its one sysctl in a column.
 */
import type { Removed } from '../../machine/options.ts'
import type { Node } from '../../node/node.ts'
import { isStill, keptText, merged, parseKept, wishDue, type Kept, type Wish } from './record.ts'
import { readNumber, tryWrite, whyNotWritten } from './sysctl.ts'

/** The times of the duplicate check. */
export function dadRecord({ settings }: Node): string {
  return `${settings.keepdir}/dad/lowered`
}

/** The sysctls of LVS. */
export function lvsRecord({ settings }: Node): string {
  return `${settings.vardir}/failover/lvs/sysctls`
}

/** What a record holds now. */
export async function keptIn(node: Node, record: string): Promise<Kept[]> {
  return parseKept((await node.read(record)) ?? '')
}

/** The wishes that are not fulfilled yet, as they will stand in a record. */
export async function dueOf(node: Node, wishes: readonly Wish[]): Promise<Kept[]> {
  const due: Kept[] = []
  for (const wish of wishes) {
    const now = await readNumber(node, wish.path)
    if (now === undefined) node.because(`the kernel has no ${wish.path}: its own check is used`)
    else if (wishDue(wish, now)) due.push({ path: wish.path, original: now, value: wish.value })
  }
  return due
}

/** Fulfil all wishes; gives back what is on record then. Rejects with a Refusal when the disk or a sysctl does not take it. */
export async function keepAll(node: Node, record: string, wishes: readonly Wish[]): Promise<Kept[]> {
  const due = await dueOf(node, wishes)
  const all = merged(await keptIn(node, record), due)
  if (due.length > 0) await node.write(record, keptText(all))
  for (const { path, value } of due) await node.write(path, `${value}\n`)
  return all
}

/** Set one sysctl, once. A value that the kernel does not take is a WARNING. */
export async function keepOne(node: Node, record: string, path: string, value: number): Promise<void> {
  const before = (await node.read(path))?.trim()
  if (before === undefined || before === String(value)) return
  await note(node, record, { path, original: Number(before), value })
  const reason = await whyNotWritten(node, path, `${value}\n`)
  if (reason) node.say(`WARNING: cannot set ${path} to ${value}: ${reason}`)
}

/** Put a sysctl on record that has been given its value, unless the record knows it already. */
export async function note(node: Node, record: string, kept: Kept): Promise<void> {
  const known = await keptIn(node, record)
  if (!known.some(({ path }) => path === kept.path)) await tryWrite(node, record, keptText([...known, kept]))
}

export interface PuttingBack {
  /** What a rehearsal has changed, as it has changed nothing. */
  assumed?: readonly Kept[]
  /** Puts one back; says whether that went well. Otherwise each is written, and counts as put back in a last act. */
  putBack?: (kept: Kept) => Promise<boolean>
}

/**
 * Put back each sysctl of a record that is still as it was set; what somebody else has set since is theirs. One that the
 * kernel does not take stays on record, and is named.
 */
export async function putAllBack(
  node: Node,
  record: string,
  { assumed, putBack = (kept) => writeOriginal(node, kept, { sysctls: 1 }) }: PuttingBack = {},
): Promise<void> {
  const text = (await node.read(record, assumed && { until: once(keptText(assumed)) })) ?? ''
  const stuck: Kept[] = []
  for (const kept of parseKept(text)) {
    const now = await node.read(kept.path, assumed && { until: once(String(kept.value)) })
    if (now === undefined || !isStill(kept, Number(now)))
      node.because(`${kept.path} is no longer ${kept.value}: somebody else has changed it, and it is left so`)
    else if (!(await putBack(kept))) stuck.push(kept)
  }
  for (const { path, original } of stuck) node.say(`WARNING: cannot put ${path} back to ${original}`)
  // an old record does no harm: a sysctl that is not as it was set is not touched
  if (text !== '') await tryWrite(node, record, keptText(stuck))
}

export function writeOriginal(node: Node, { path, original }: Kept, removes?: Removed): Promise<boolean> {
  return tryWrite(node, path, `${original}\n`, { removes })
}

/** A look that a rehearsal answers. */
function once(assumed: string) {
  return { wanted: () => true, every: 0, limit: 0, assume: (text: string) => assumed || text }
}
