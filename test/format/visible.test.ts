/** What came from outside reaches no terminal as a control character. */
import t from '../tap.ts'
import { visible } from '../../runner/base/visible.ts'
import { keyed, printed } from '../../runner/format/colours.ts'

void t.test('control characters and turners of text are made visible, line ends and tabs stay', (test) => {
  test.equal(
    visible('a\u001b[2Jb\u009b1m\u202ec\r\n\td\u00e9'),
    'a\\u001b[2Jb\\u009b1m\\u202ec\\u000d\n\td\u00e9',
  )
  const value = { text: 'a\u009b\u202e\u001b\u007f' }
  test.same(JSON.parse(visible(JSON.stringify(value))), value)
  test.end()
})

void t.test('blanks that look like the space, and what is not seen at all, are made visible', (test) => {
  const units = [
    0xa0, 0xad, 0x115f, 0x1680, 0x180e, 0x2028, 0x2029, 0x202f, 0x205f, 0x2060, 0x2800, 0x3000, 0xfeff,
  ]
  const between = Array.from({ length: 16 }, (_, i) => 0x2000 + i)
  for (const unit of [...units, ...between])
    test.equal(
      visible(`24${String.fromCharCode(unit)}eth0`),
      `24\\u${unit.toString(16).padStart(4, '0')}eth0`,
    )
  const value = { text: 'a\u{e0001}b\u00a0' }
  test.equal(visible(value.text), 'a\\udb40\\udc01b\\u00a0')
  test.same(JSON.parse(visible(JSON.stringify(value))), value)
  const seen = 'Zürich … “α” — 東京 🙂 e\u0301'
  test.equal(visible(seen), seen)
  test.end()
})

void t.test('our colours are colours, the same sequence from outside is text', (test) => {
  const red = keyed((text) => `\u001b[31m${text}\u001b[39m`)
  const line = `${red('bad \u001b[2J')} \u001b[31mforged\u001b[39m`
  test.equal(printed(line), '\u001b[31mbad \\u001b[2J\u001b[39m \\u001b[31mforged\\u001b[39m')
  test.end()
})
