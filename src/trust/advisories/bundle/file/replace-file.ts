import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fsyncDirectory } from '#host/file'

/** Gives a finished temporary file its name, in place of what is there: readers see one or the other, also after power loss. */
export async function replaceFile(temporary: string, final: string): Promise<void> {
  const handle = await open(temporary, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, final)
  await fsyncDirectory(dirname(final))
}
