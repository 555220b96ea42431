/** A program whose time is up is ended, and has ended when that is said. */
import { execa } from 'execa'
import t from '../tap.ts'
import { endProgram } from '../../runner/machine/live/end-program.ts'

for (const isHard of [false, true])
  t.test(`a program that ignores TERM has ended after its KILL${isHard ? ', at once' : ''}`, async (t) => {
    const program = execa('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {
      detached: true,
      reject: false,
    })
    let isOver = false
    const over = program.then(() => (isOver = true))
    await new Promise((resolve) => program.stdout.once('data', resolve))
    await endProgram(program, true, isHard)
    t.ok(isOver)
    await over
  })
