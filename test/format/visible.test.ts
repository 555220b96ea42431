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

void t.test('our colours are colours, the same sequence from outside is text', (test) => {
  const red = keyed((text) => `\u001b[31m${text}\u001b[39m`)
  const line = `${red('bad \u001b[2J')} \u001b[31mforged\u001b[39m`
  test.equal(printed(line), '\u001b[31mbad \\u001b[2J\u001b[39m \\u001b[31mforged\\u001b[39m')
  test.end()
})
