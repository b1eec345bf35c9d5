import { BaleError, isBaleError, printable, withoutSecrets } from '#base'
import { streamOf } from '#blob'
import { type Compression, decompress } from '#format/compression'
import type { Fetcher } from '#transport'
import { fetchVerified } from './fetch-file.ts'
import type { FetchedRelease } from './fetch-release.ts'
import { readPackages, type SourceRecords } from './packages-index.ts'
import type { Release, ReleaseFile } from './release.ts'

/** The index of one component for one architecture, in the forms in which an archive offers it. */
export interface ListedIndex {
  /** `main` */
  readonly component: string
  readonly forms: readonly (ReleaseFile & { readonly path: string })[]
  /** Bytes when it is not compressed. */
  readonly inflated: number
  /** SHA-256 of what says the same in all forms, in hex. */
  readonly digest: string
}

/** Bytes of an index as it is fetched, and inflated; those of unstable have 11 MB and 65 MB. */
const COMPRESSED_LIMIT = 96 << 20
const INFLATED_LIMIT = 512 << 20
/** Milliseconds. */
const PATIENCE = 600_000

/** xz is two thirds of gzip's size; the archive lists the form without compression, but rarely has it. */
const SUFFIXES = ['.xz', '.gz', '']

/** The indexes of these components that a suite has. Throws DOWNLOAD_FAILED when it has none for the architecture. */
export function listedIndexes(
  { release, url }: FetchedRelease,
  components: readonly string[],
  architecture: string,
): readonly ListedIndex[] {
  const listed = components.flatMap((component) => listedIndex(release, component, architecture))
  if (listed.length > 0) return listed
  const what = `${components.join(', ')} for ${architecture}`
  throw new BaleError(
    'DOWNLOAD_FAILED',
    `${printable(withoutSecrets(url))} has no list of packages of ${printable(what)}`,
  )
}

function listedIndex({ files }: Release, component: string, architecture: string): ListedIndex[] {
  const path = `${component}/binary-${architecture}/Packages`
  const forms = SUFFIXES.flatMap((suffix) => {
    const file = files.get(path + suffix)
    return file ? [{ ...file, path: path + suffix }] : []
  })
  const [first] = forms
  if (!first) return []
  const plain = files.get(path)
  return [{ component, forms, inflated: plain?.size ?? INFLATED_LIMIT, digest: (plain ?? first).sha256 }]
}

/** Fetches an index and adds what it says. Throws LIMIT_EXCEEDED, and what is wrong with the bytes. */
export async function fetchPackages(
  index: ListedIndex,
  { release, url }: FetchedRelease,
  records: SourceRecords,
  options: { fetcher: Fetcher; signal: AbortSignal | undefined },
): Promise<void> {
  if (index.inflated > INFLATED_LIMIT) throw tooLarge(url, index.inflated)
  for (const form of index.forms) {
    if (form.size > COMPRESSED_LIMIT) throw tooLarge(url, form.size)
    const bytes = await fetchForm(form, url, release.byHash, options)
    if (bytes && (await inflate(bytes, { path: form.path, inflated: index.inflated }, records, options.signal))) return
  }
  throw new BaleError('DOWNLOAD_FAILED', `${printable(withoutSecrets(url))} does not have the index that it lists`)
}

/** By its digest a file is there also while the mirror is being updated. */
async function fetchForm(
  form: ReleaseFile & { path: string },
  url: string,
  byHash: boolean,
  options: { fetcher: Fetcher; signal: AbortSignal | undefined },
): Promise<Uint8Array | undefined> {
  const directory = form.path.slice(0, form.path.lastIndexOf('/'))
  const paths = [...(byHash ? [`${directory}/by-hash/SHA256/${form.sha256}`] : []), form.path]
  for (const path of paths) {
    const bytes = await fetchVerified(`${url}/${path}`, form, { ...options, timeout: PATIENCE })
    if (bytes) return bytes
  }
  return undefined
}

/** False when this machine cannot read the form: xz needs a program. */
async function inflate(
  bytes: Uint8Array,
  form: { path: string; inflated: number },
  records: SourceRecords,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const limits = { outputBytes: form.inflated }
  try {
    await readPackages(decompress(streamOf(bytes), compressionOf(form.path), { limits, signal }), records)
    return true
  } catch (error) {
    if (isBaleError(error, 'UNSUPPORTED_HOST')) return false
    throw error
  }
}

function compressionOf(path: string): Compression {
  if (path.endsWith('.xz')) return 'xz'
  return path.endsWith('.gz') ? 'gzip' : 'none'
}

function tooLarge(url: string, size: number): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `${printable(withoutSecrets(url))} lists an index of ${size} bytes`)
}
