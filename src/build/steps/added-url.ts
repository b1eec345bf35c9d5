import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, printable, withoutSecrets } from '#base'
import { algorithmOf, hexOf, parseDigest } from '#spec'
import type { BuildRun } from '../build-run.ts'
import { fromText } from '../context/byte-path.ts'
import type { Selection } from '../copy/selection.ts'
import { plainFile } from './inline-file.ts'

export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source)
}

/** A source as history, progress and messages show it: a login or a signature in a URL is nobody else's business. */
export function shownSource(source: string): string {
  return isUrl(source) ? withoutSecrets(source) : source
}

/** Repositories are not fetched in this version; a name that only looks like a path stays one. Throws a plain Error. */
export function refuseGit(source: string): void {
  const isGit =
    /^(?:git|ssh):\/\//.test(source) || /^git@[^/]+:/.test(source) || /^https?:\/\/[^?#]+\.git(?:[?#]|$)/.test(source)
  if (isGit)
    throw new Error(
      `adding from a git repository is not supported yet: ${printable(withoutSecrets(source))}; clone it and COPY the directory`,
    )
}

/**
 * A file fetched for ADD, kept in the scratch directory of the build: mode 0600, owned by root, time from Last-Modified. The
 * checksum of the instruction is compared before anything is used (B10).
 */
export async function addedUrl(run: BuildRun, url: string, checksum: string | undefined): Promise<Selection> {
  const wanted = checksum === undefined ? undefined : parseDigest(checksum)
  const { body, fileName, modified } = await run.session.machine.fetchUrl(url, { signal: run.signal })
  const path = join(await run.session.newDirectory('url'), 'body')
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
