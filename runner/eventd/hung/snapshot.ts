import type { Lock, OpenFile, Process, treeOf } from './proc.ts'

/** Everything that was found about hung processes in time. A missing part makes the explanation poorer, no more. */
export interface HungSnapshot {
  processes: readonly Process[]
  locks: readonly Lock[]
  files: readonly OpenFile[]
  /** The processes that have the open file of a lock. */
  holders: readonly { holder: number; fd: number; inode: string; kind: string; mode: string }[]
  /** By pid: the file descriptor in which a process waits. */
  waitsIn: ReadonlyMap<number, number>
  /** By pid: functions of the kernel, the innermost first. */
  stacks: ReadonlyMap<number, readonly string[]>
}

/** A process of the hung script. */
export type ScriptProcess = ReturnType<typeof treeOf>[number]
