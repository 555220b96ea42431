/** The texts that we give systemd: a drop-in for ctdb.service, and the unit that the drop-in names. */
import { fromShell } from '../machine/argv.ts'

/** The first line of each file, by which a later version recognises its own. */
export const MARK = '# Written by "eventscript install"; "eventscript uninstall" removes it.'

export const CLEANUP_UNIT = 'eventscript-cleanup.service'

/** The `-` keeps a failed cleanup from turning an orderly stop into a failed unit: the journal has the cleanup's words. */
export function dropInFor(program: string, node?: string): string {
  return `${MARK}
[Unit]
# For ExecStopPost= that was killed with all other processes of the service.
OnFailure=${CLEANUP_UNIT}

[Service]
# Without ctdbd no public address may stay on this node.
ExecStopPost=-${asCommand(program, node)}
`
}

/** A unit outside the control group of ctdb.service: killing that whole group does not reach the cleanup. */
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

/** With node's full path where PATH has no usable node. */
function asCommand(program: string, node: string | undefined): string {
  const words =
    node === undefined ? [asWord(program)] : [asWord(node), asWord(program).replaceAll('$', '$$$$')]
  return [...words, 'cleanup'].join(' ')
}

/** The node that such a text names; undefined when the text names none. */
export function nodeNamedIn(text: string | undefined): string | undefined {
  const command = /^Exec(?:Start|StopPost)=-?(.*)$/m.exec(text ?? '')?.[1]
  const words = fromShell(command?.replaceAll('%%', '%') ?? '') ?? []
  return words.length === 3 ? words[0] : undefined
}

/** Quoted as systemd.service(5) reads the path of a program: `%` is special everywhere, `$` not in the first word. */
function asWord(path: string): string {
  const literal = path.replaceAll('%', '%%')
  return /\s/.test(literal) ? `"${literal}"` : literal
}
