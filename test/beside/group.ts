import { OWN } from './machine.ts'

/** A program beside us in one set-up. */
export interface Group {
  /** Of the table's first column. */
  name: string
  /** Lines for the shell of the machine, in which nothing manages eth0. */
  setup: string
  /** Commands as an admin types them. */
  commands: readonly Command[]
  /** Lines after each command: what it has taken is given back. */
  repair?: string
  /** What `doctor` finds: state, subject and a part of the text of each finding about this program. */
  doctor: readonly (readonly [string, string, RegExp])[]
  /** What docs/beside.md says of the program beside the table, and the machine shows in the long form. */
  shows?: readonly Shown[]
  /** Doctor's remedies are advice, and no commands to paste. */
  isAdvice?: true
  /** Part of the short form as well. */
  short?: true
}

export interface Command {
  /** As the table has it. */
  typed: string
  /** What is run, where that is more. */
  run?: string
  /** Lines before it and after it, which are no part of what is seen. */
  before?: string
  after?: string
  short?: true
}

export interface Shown {
  /** Words of docs/beside.md. */
  says: string
  /** Lines for the shell that show it, and what they print. */
  lines: string
  prints: RegExp
  /** Of that release alone. */
  of?: string
  /** Lines after it. */
  after?: string
}

export const write = (file: string, text: string) =>
  `mkdir -p $(dirname ${file}); printf '%s\\n' '${text}' >${file}`

/** A shell's function: waits until its argument, a command, succeeds. */
export const UNTIL = 'until_so() { for i in $(seq 150); do eval "$1" && return; sleep 0.2; done; return 1; }'

/** The node's own addresses with their prefixes. */
export const OWN_WITH_BITS = OWN.map((own) => `${own}/${own.includes(':') ? 64 : 24}`)

/** From the far end to CTDB's port, by way of the node's own address on eth0. */
export const CONNECT = `ip -n far route replace 10.1.0.1 via ${OWN[0]}
ip netns exec far timeout 3 bash -c '</dev/tcp/10.1.0.1/4379' 2>/dev/null && echo open || echo closed`
