import { canonical } from '../inet/address.ts'

/** How the text of one option is read. A kind never fails: what is wrong is told, and the default stands in. */
export interface Kind<T> {
  read: (text: string) => { value: T; wrong: Wrong[] }
}

/** A part of an option's text that is no good: `expected …: using …`. */
export interface Wrong {
  expected: string
  using: string
}

/** One of a few words, in any case; the first is the default. */
export function choice<const C extends readonly [string, ...string[]]>(...words: C): Kind<C[number]> {
  return {
    read(text) {
      const value = words.find((word) => word === text.toLowerCase())
      const wrong = value === undefined && text !== ''
      return {
        value: value ?? words[0],
        wrong: wrong ? [{ expected: words.join(', '), using: words[0] }] : [],
      }
    },
  }
}

/** A name or a number that its handler checks by itself; unset is empty. */
export function asWritten(): Kind<string> {
  return { read: (value) => ({ value: value.trim(), wrong: [] }) }
}

/** A whole number from `least` to `most`. */
export function number(fallback: number, least: number, most: number): Kind<number> {
  return {
    read(text) {
      if (text === '') return { value: fallback, wrong: [] }
      const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
      if (value >= least && value <= most) return { value, wrong: [] }
      return { value: fallback, wrong: [{ expected: `${least} to ${most}`, using: String(fallback) }] }
    },
  }
}

/** A choice for this node, and others for some of its addresses. */
export interface PerAddress<C> {
  /** What holds for this address, in canonical spelling. */
  of: (address: string) => C
  /** Does the option say anything at all? */
  isSet: boolean
}

/**
 * Words between blanks: `WORD` is for the node (of several the last), `ADDRESS=WORD` for one address, which wins. The
 * name of a shell variable cannot hold an address, so the value does. What is wrong is ignored, word by word.
 */
export function perAddress<const C extends readonly [string, ...string[]]>(
  ...words: C
): Kind<PerAddress<C[number]>> {
  const expected = `${words.join(', ')}, or ADDRESS= and one of these`
  return {
    read(text) {
      let ours: C[number] = words[0]
      const special = new Map<string, C[number]>()
      const wrong: Wrong[] = []
      const all = text.split(/\s+/).filter(Boolean)
      for (const each of all) {
        const [, address, word = ''] = /^(?:(.*)=)?(.*)$/.exec(each) ?? []
        const chosen = words.find((known) => known === word.toLowerCase())
        const spelt = address === undefined ? undefined : canonical(address)
        if (chosen === undefined || (address !== undefined && spelt === undefined))
          wrong.push({ expected, using: `nothing of "${each}"` })
        else if (spelt === undefined) ours = chosen
        else special.set(spelt, chosen)
      }
      const of = (address: string) => special.get(address) ?? ours
      return { value: { of, isSet: all.length > 0 }, wrong }
    },
  }
}
