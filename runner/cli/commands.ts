/** The commands in the order of `--help`. Each is loaded when it is needed: a start loads one command, not all of them. */
import type { Command } from './command.ts'

const COMMANDS: Record<string, () => Promise<{ default: Command }>> = {
  run: () => import('./act/run.ts'),
  explain: () => import('./act/explain.ts'),
  replay: () => import('./act/replay.ts'),
  eventd: () => import('./setup/eventd.ts'),
  install: () => import('./setup/install.ts'),
  uninstall: () => import('./setup/uninstall.ts'),
  history: () => import('./show/history.ts'),
  status: () => import('./show/status.ts'),
  top: () => import('./show/top.ts'),
  list: () => import('./show/list.ts'),
  ip: () => import('./show/ip.ts'),
  ifaces: () => import('./show/ifaces.ts'),
  nodes: () => import('./show/nodes.ts'),
  audit: () => import('./judge/audit.ts'),
  doctor: () => import('./judge/doctor.ts'),
  check: () => import('./judge/check.ts'),
  metrics: () => import('./judge/metrics.ts'),
  cleanup: () => import('./act/cleanup.ts'),
}

/** The command of that name, or all commands when there is none: `--help` and the refusal of a wrong name need all. */
export async function commandsFor(name: string | undefined): Promise<Command[]> {
  const known =
    name !== undefined && Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS)
  return (await Promise.all(known.map((load) => load()))).map((module) => module.default)
}
