import type { BuiltImage } from '#build'
import type { PackedEntry } from '#format/tar'
import type { Digest } from '#spec'
import { inTotoStatement, type Predicate } from '#trust/attestation'
import { hashedData } from './hashed-data.ts'

/** A document, and what its file is called where images are written as files. */
export interface AttestationDocument extends Predicate {
  readonly fileName: string
  /** It goes with images alone. */
  readonly inlineOnly: boolean
}

/**
 * The files of an image, and behind them those of its attestations, about all regular files that came before. They replace files
 * of the image that have their names, as with BuildKit. The data of each file must be read before the next is asked for. `made`
 * is when the attestations were, in milliseconds since 1970.
 */
export async function* attestedFiles(
  built: Pick<BuiltImage, 'files'>,
  documents: readonly AttestationDocument[],
  made: number,
): AsyncGenerator<PackedEntry> {
  const written = documents.filter(({ inlineOnly }) => !inlineOnly)
  const names = new Set(written.map(({ fileName }) => nameInTar(fileName)))
  const digests = new Map<string, Digest>()
  for await (const packed of built.files()) {
    const { name, type, linkName = '' } = packed.entry
    if (names.has(name)) continue
    const data = type === 'file' ? hashedData(packed, (digest) => digests.set(name, digest)) : packed.data
    yield { ...packed, data }
    const linked = type === 'hardlink' ? digests.get(linkName) : undefined
    if (linked) digests.set(name, linked)
  }
  const subjects = [...digests].map(([name, digest]) => ({ name: Buffer.from(name, 'latin1').toString(), digest }))
  for (const document of written) {
    const data = Buffer.from(JSON.stringify(inTotoStatement(document, subjects), undefined, 2))
    const mtime = Math.floor(made / 1000)
    yield { entry: { name: nameInTar(document.fileName), type: 'file', size: data.length, mode: 0o600, mtime }, data }
  }
}

/** Names in tars are bytes, one character each. */
const nameInTar = (fileName: string) => Buffer.from(fileName).toString('latin1')
