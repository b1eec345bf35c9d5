import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fsyncDirectory } from './publish.ts'
import { randomHex } from './random-hex.ts'

/**
 * Replaces a file as a whole: readers see the old or the new bytes, also after power loss. Mode 0600 by default. With
 * `durable: false` nothing is flushed: for files below the run directory, which do not outlive a boot.
 */
export async function writeFileAtomic(
  path: string,
  content: Uint8Array | string | Iterable<Uint8Array>,
  { mode = 0o600, durable = true }: { mode?: number; durable?: boolean } = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomHex(6)}`)
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(content)
      if (durable) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  if (durable) await fsyncDirectory(dirname(path))
}
