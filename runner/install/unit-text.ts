/** What we have systemd read: a drop-in for ctdb.service, and the unit that it names. */
import { fromShell } from '../machine/argv.ts'

/** The first line of each, by which a later version knows its own. */
export const MARK = '# Written by "eventscript install"; "eventscript uninstall" removes it.'

export const CLEANUP_UNIT = 'eventscript-cleanup.service'

/** With `-` a cleanup that fails does not turn an orderly stop into a failed unit: what it says is in the journal. */
export function textFor(program: string, node?: string): string {
  return `${MARK}
[Unit]
# For ExecStopPost= that was killed with all other processes of the service.
OnFailure=${CLEANUP_UNIT}

[Service]
# Without ctdbd no public address may stay on this node.
ExecStopPost=-${asCommand(program, node)}
`
}

/** Outside the control group of ctdb.service: whoever kills that as a whole does not reach it. */
export function cleanupUnitFor(program: string, node?: string): string {
  return `${MARK}
[Unit]
Description=Drop the public addresses that a failed ctdb.service has left on this node
# ctdbd that is started meanwhile waits for the end of this.
Before=ctdb.service
# However often that fails within a few seconds, this runs each time.
StartLimitIntervalSec=0

[Service]
Type=oneshot
Restart=no
TimeoutStartSec=90
SyslogIdentifier=eventscript
ExecStart=${asCommand(program, node)}
`
}

/** By node's full path where a node would not be found. */
function asCommand(program: string, node: string | undefined): string {
  const words =
    node === undefined ? [asWord(program)] : [asWord(node), asWord(program).replaceAll('$', '$$$$')]
  return [...words, 'cleanup'].join(' ')
}

/** The node that such a text names. */
export function nodeNamedIn(text: string | undefined): string | undefined {
  const command = /^Exec(?:Start|StopPost)=-?(.*)$/m.exec(text ?? '')?.[1]
  const words = fromShell(command?.replaceAll('%%', '%') ?? '') ?? []
  return words.length === 3 ? words[0] : undefined
}

/** As systemd.service(5) takes the path of a program: `%` stands for something there, `$` does not in the first word. */
function asWord(path: string): string {
  const literal = path.replaceAll('%', '%%')
  return /\s/.test(literal) ? `"${literal}"` : literal
}
