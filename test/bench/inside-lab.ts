/**
 * Starts a program of the bench inside the node's namespace, so that no process lies between its clock and the timed
 * work.
 */
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Lab } from '../lab/lab.ts'

/** `program` is a module of this folder. `orders` is its only word, as JSON. The output is JSON too. */
export async function inside<T>(lab: Lab, program: string, orders: object): Promise<T> {
  const path = fileURLToPath(new URL(program, import.meta.url))
  const enter = ['-t', String(lab.node.pid), '-U', '-n', '-m', '--preserve-credentials', '--']
  const { stdout } = await execa('nsenter', [...enter, process.execPath, path, JSON.stringify(orders)], {
    env: lab.env,
    stdin: 'ignore',
    stderr: 'inherit',
  })
  return JSON.parse(stdout) as T
}
