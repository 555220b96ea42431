import { canonical } from '../inet/address.ts'

/** How the text of an option is read. Reading never fails: a bad part is reported, and the default is used. */
export interface OptionKind<T> {
  read: (text: string) => { value: T; wrong: Wrong[] }
}

/** A bad part of an option's text, for the sentence `expected …: using …`. */
export interface Wrong {
  expected: string
  using: string
}

/** One of a few words, upper or lower case; the first is the default. */
export function choice<const C extends readonly [string, ...string[]]>(...words: C): OptionKind<C[number]> {
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

/** A name or a number that its handler checks; empty when it is not set. */
export function asWritten(): OptionKind<string> {
  return { read: (value) => ({ value: value.trim(), wrong: [] }) }
}

/** A whole number from `least` to `most`. */
export function number(fallback: number, least: number, most: number): OptionKind<number> {
  return {
    read(text) {
      if (text === '') return { value: fallback, wrong: [] }
      const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
      if (value >= least && value <= most) return { value, wrong: [] }
      return { value: fallback, wrong: [{ expected: `${least} to ${most}`, using: String(fallback) }] }
    },
  }
}

/** A choice for this node, and other choices for some of its addresses. */
export interface PerAddress<C> {
  /** The choice for an address in canonical spelling. */
  of: (address: string) => C
  /** Is the option set at all? */
  isSet: boolean
}

/**
 * Words, separated by blanks: `WORD` is for the node (the last one counts), `ADDRESS=WORD` for one address, and wins. The
 * value holds the address, because the name of a shell variable cannot. Bad words are ignored, each by itself.
 */
export function perAddress<const C extends readonly [string, ...string[]]>(
  ...words: C
): OptionKind<PerAddress<C[number]>> {
  const expected = `${words.join(', ')}, or ADDRESS= and one of these`
  return {
    read(text) {
      let ours: C[number] = words[0]
      const special = new Map<string, C[number]>()
      const wrong: Wrong[] = []
      const all = text.split(/[ \t\n]+/).filter(Boolean)
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
