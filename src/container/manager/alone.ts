import { writeFile } from 'node:fs/promises'
import { errnoOf } from '#base'

/**
 * For sh: `alone FILE PID` is true when nobody waits for the end of a process any more: whoever did has left (the file), is
 * gone, or was killed and may be a zombie still.
 */
export const ALONE = `alone() {
  [ -e "$1" ] && return
  stat=
  { read -r stat < "/proc/$2/stat"; } 2>/dev/null
  case "$stat" in "" | *") Z "*) ;; *) false ;; esac
}`

/** Nobody waits from now on. Without a directory for the file the process has ended, and it does not matter. */
export async function leaveFileAlone(path: string): Promise<void> {
  try {
    await writeFile(path, '')
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
