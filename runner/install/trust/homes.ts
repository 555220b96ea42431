/** Which paths are a person's. `chown root` there would take their files from them, and they would still own the folder above. */
import { readFileSync } from 'node:fs'
import { codeOf } from '../../machine/errors.ts'

/** The first uid of persons (login.defs(5), UID_MIN). */
const FIRST_PERSON = 1000

/** By the owner, or below a person's home: those of /etc/passwd, and what lies in /home. Root's home is no person's. */
export function isPersons(path: string, uid: number, homes = homesIn(passwd())): boolean {
  return (
    uid >= FIRST_PERSON || ['/home', ...homes].some((home) => path.startsWith(`${home}/`) || path === home)
  )
}

/** The home folders of persons in the text of /etc/passwd. */
export function homesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, , uid, , , home = ''] = line.split(':')
    return Number(uid) >= FIRST_PERSON && /^\/./.test(home) ? [home.replace(/\/+$/, '')] : []
  })
}

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}
