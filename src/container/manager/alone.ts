import { writeFile } from 'node:fs/promises'
import { errnoOf } from '#base'

/**
 * A function for sh. `alone FILE PID` succeeds when nobody waits for a process any more: the waiting process PID has said so
 * by creating FILE, has ended, or is a zombie.
 */
export const ALONE = `alone() {
  [ -e "$1" ] && return
  stat=
  { read -r stat < "/proc/$2/stat"; } 2>/dev/null
  case "$stat" in "" | *") Z "*) ;; *) false ;; esac
}`

/** Says that nobody waits any more. A missing directory means that the process has ended, so nobody needs to know. */
export async function leaveFileAlone(path: string): Promise<void> {
  try {
    await writeFile(path, '')
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
