import type { Door } from '../system/door.ts'
export function explainHung(_door: Door, _pid: number): Promise<string[]> {
  return Promise.resolve([])
}
