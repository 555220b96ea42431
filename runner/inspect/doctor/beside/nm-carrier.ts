/** `ignore-carrier` in the configuration that `NetworkManager --print-config` prints: NetworkManager.conf(5). */
/** Does NetworkManager leave the profile of that interface alone when its carrier is lost? */
export function ignoresCarrier(config: string, iface: string): boolean {
  return sectionsIn(config).some(({ name, values }) => {
    const ignore = values.get('ignore-carrier')
    if (ignore === undefined) return false
    if (name === 'main') return matches(ignore, iface)
    if (!/^device\b/.test(name) || !/^(?:yes|true|on|1)$/i.test(ignore)) return false
    const match = values.get('match-device')
    return match === undefined || matches(match, iface)
  })
}

interface Section {
  name: string
  values: Map<string, string>
}

function sectionsIn(text: string): Section[] {
  const all: Section[] = []
  for (const line of text.split('\n')) {
    const name = /^\[(.*)\]$/.exec(line.trim())?.[1]
    if (name !== undefined) all.push({ name, values: new Map() })
    const [, key, value = ''] = /^\s*([\w.-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (key !== undefined) all.at(-1)?.values.set(key, value)
  }
  return all
}

/** A list such as `interface-name:eth*,except:interface-name:eth1,*`. Other kinds of entries count as no match. */
function matches(list: string, iface: string): boolean {
  const entries = list.split(/[,;]/).map((each) => each.trim())
  const named = (entry: string) => isGlobOf(entry.replace(/^interface-name:=?/, ''), iface)
  if (entries.some((each) => each.startsWith('except:') && named(each.slice('except:'.length)))) return false
  return entries.some((each) => !each.startsWith('except:') && named(each))
}

function isGlobOf(glob: string, name: string): boolean {
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`).test(name)
}
