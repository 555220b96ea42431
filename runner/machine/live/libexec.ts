import { fileURLToPath } from 'node:url'

/** The full path of a helper in `runner/libexec`, which the build copies beside the compiled files. */
export function helper(name: string): string {
  return fileURLToPath(new URL(`../../libexec/${name}`, import.meta.url))
}
