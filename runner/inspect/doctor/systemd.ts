/** What systemd does after ctdbd is gone. */
import { dirname } from 'node:path'
import { lookAtSystemd, type UnitFile } from '../../install/systemd.ts'
import { nodeNamedIn } from '../../install/unit-text.ts'
import { about, type Examination } from './finding.ts'

/** The files that clean up after ctdbd and its event daemon were killed. */
const cleanup: Examination = ({ facts, own, uses }) => {
  const { ok, warn } = about('systemd')
  const found = lookAtSystemd(facts.env, dirname(own), (_which, here) => nodeNamedIn(here))
  if (!found || !(uses.inet || uses.inet6)) return []
  const { dropIn, unit } = found
  const how = (file: UnitFile) => (file.here === undefined ? 'no such file' : different(file))
  if (dropIn.here !== dropIn.text)
    return warn(
      dropIn.place,
      `${how(dropIn)}: when ctdbd and its event daemon are killed, the addresses stay on this node`,
      'eventscript install',
    )
  if (unit.here !== unit.text)
    return warn(
      unit.place,
      `${how(unit)}: after "systemctl kill -s KILL ctdb" the addresses stay on this node`,
      'eventscript install',
    )
  return ok(dropIn.place, 'cleans up when ctdbd was killed')
}

/** The command counts most: where it is another program's, only that is reported. */
function different({ here, text }: UnitFile): string {
  const calls = (whole: string) =>
    whole
      .split('\n')
      .filter((line) => line.startsWith('Exec'))
      .join()
  return calls(here ?? '') === calls(text)
    ? 'not as this version writes it'
    : 'it does not call this eventscript'
}

export const SYSTEMD = { cleanup }
