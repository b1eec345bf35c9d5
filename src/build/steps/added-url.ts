import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, printable } from '#base'
import { algorithmOf, hexOf, parseDigest } from '#spec'
import { fromText } from '../context/index.ts'
import { plainFile, type Selection } from '../copy/index.ts'
import type { StepContext } from './step-context.ts'

/**
 * A file fetched for ADD, kept in the scratch directory of the build: mode 0600, owned by root, time from Last-Modified. The
 * checksum of the instruction is compared before anything is used (B10).
 */
export async function addedUrl(context: StepContext, url: string, checksum: string | undefined): Promise<Selection> {
  const { session, signal } = context
  const wanted = checksum === undefined ? undefined : parseDigest(checksum)
  const { body, fileName, modified } = await session.machine.fetchUrl(url, { signal })
  const path = join(await session.newDirectory('url'), 'body')
  const hash = createHash(wanted ? algorithmOf(wanted) : 'sha256')
  let size = 0
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of body) {
      hash.update(chunk)
      size += chunk.length
      await file.write(chunk)
    }
  } finally {
    await file.close()
  }
  const found = hash.digest('hex')
  if (wanted && found !== hexOf(wanted)) {
    throw new BaleError(
      'DIGEST_MISMATCH',
      `digest mismatch of ${printable(url)}: ${algorithmOf(wanted)}:${found} is not ${wanted}`,
    )
  }
  const entry = plainFile({ mode: 0o600, size, mtime: modified ?? 0 })
  const name = fromText(fileName ?? '__unnamed__')
  return { name, items: [{ relative: '', entry, read: () => createReadStream(path) }], isRemote: true }
}
