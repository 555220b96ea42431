/** The commands in the order of `--help`. Each is loaded when it is needed: a start loads one command, not all of them. */
import type { Command } from '../cli/command.ts'

const COMMANDS: Record<string, () => Promise<{ default: Command }>> = {
  run: () => import('../cli/act/run.ts'),
  explain: () => import('../cli/act/explain.ts'),
  replay: () => import('../cli/act/replay.ts'),
  eventd: () => import('../cli/setup/eventd.ts'),
  install: () => import('../cli/setup/install.ts'),
  uninstall: () => import('../cli/setup/uninstall.ts'),
  history: () => import('../cli/show/history.ts'),
  status: () => import('../cli/show/status.ts'),
  top: () => import('../cli/show/top.ts'),
  list: () => import('../cli/show/list.ts'),
  why: () => import('../cli/judge/why.ts'),
  ip: () => import('../cli/show/ip.ts'),
  ifaces: () => import('../cli/show/ifaces.ts'),
  about: () => import('../cli/show/about.ts'),
  nodes: () => import('../cli/show/nodes.ts'),
  audit: () => import('../cli/judge/audit.ts'),
  doctor: () => import('../cli/judge/doctor.ts'),
  check: () => import('../cli/judge/check.ts'),
  metrics: () => import('../cli/judge/metrics.ts'),
  cleanup: () => import('../cli/act/cleanup.ts'),
}

/** The command of that name, or all commands when there is none: `--help` and the refusal of a wrong name need all. */
export async function commandsFor(name: string | undefined): Promise<Command[]> {
  const known =
    name !== undefined && Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS)
  return (await Promise.all(known.map((load) => load()))).map((module) => module.default)
}
