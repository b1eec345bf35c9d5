import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { BaleError, errnoOf, printable, withoutSecrets } from '#base'
import { readText, writeFileAtomic } from '#host/file'
import type { Fetcher } from '#transport'
import { type DebFile, fetchVerified, type MirrorContext } from '../archive/index.ts'
import { type ChangelogEntry, parseChangelog } from './changelog.ts'
import { changelogIn } from './deb-changelog.ts'

/** A version of a source package, and where packages that were built from it are. */
interface SourceAtMirror {
  readonly source: string
  readonly version: string
  readonly uri: string
  /** Smallest first. */
  readonly debs: readonly DebFile[]
}

/** Bytes of a package that is fetched for its changelog, and of one when there is no smaller one. */
const USUAL_LIMIT = 16 << 20
const LIMIT = 64 << 20
/** Milliseconds for a package. */
const PATIENCE = 120_000

/**
 * The entries of the changelog of a source package, from the smallest binary package that has it; empty when none
 * has. They never change, so they are kept for ever. Throws what went wrong with the last package that was tried.
 */
export async function sourceChangelog(
  wanted: SourceAtMirror,
  context: Pick<MirrorContext, 'directory' | 'fetcher' | 'signal'>,
): Promise<readonly ChangelogEntry[]> {
  const path = join(context.directory, keptName(wanted))
  const kept = await readKept(path)
  if (kept) return kept
  const { fetcher } = context
  if (!fetcher) throw new BaleError('DOWNLOAD_FAILED', 'no mirror is asked, and it was not read before')
  const entries = await fetchEntries(wanted, { ...context, fetcher })
  await writeFileAtomic(path, JSON.stringify({ format: FORMAT, entries }), { durable: false })
  return entries
}

async function fetchEntries(
  { source, uri, debs }: SourceAtMirror,
  { fetcher, signal }: { fetcher: Fetcher; signal: AbortSignal | undefined },
): Promise<readonly ChangelogEntry[]> {
  let failure: unknown
  for (const [index, deb] of debs.entries()) {
    if (deb.size > (index === 0 ? LIMIT : USUAL_LIMIT)) break
    try {
      const text = await fetchChangelog(uri, deb, { fetcher, signal })
      const entries = parseChangelog(text ?? '', source)
      if (entries.length > 0) return entries
    } catch (error) {
      signal?.throwIfAborted()
      failure = error
    }
  }
  if (failure) throw failure
  return []
}

async function fetchChangelog(
  uri: string,
  deb: DebFile,
  options: { fetcher: Fetcher; signal: AbortSignal | undefined },
): Promise<string | undefined> {
  const url = `${uri}/${deb.path.split('/').map(encodeURIComponent).join('/')}`
  const bytes = await fetchVerified(url, deb, { ...options, timeout: PATIENCE })
  if (!bytes) throw new BaleError('DOWNLOAD_FAILED', `${printable(withoutSecrets(url))} is not there`)
  const [name = ''] = deb.path.slice(deb.path.lastIndexOf('/') + 1).split('_', 1)
  return changelogIn(bytes, name, options.signal)
}

const FORMAT = 1

/** With the digests of the packages: other mirrors may have others under the same version. */
function keptName({ source, version, debs }: SourceAtMirror): string {
  const digest = createHash('sha256')
    .update(debs.map(({ sha256 }) => sha256).join())
    .digest('hex')
  return join(CHANGELOGS, `${source}_${encodeURIComponent(version)}_${digest.slice(0, 16)}.json`)
}

/** Where in the directory of mirrors changelogs are kept. */
export const CHANGELOGS = 'changelogs'

/** Undefined for what is not there, and for what a power failure has cut. */
async function readKept(path: string): Promise<readonly ChangelogEntry[] | undefined> {
  try {
    const { format, entries } = JSON.parse(await readText(path))
    return format === FORMAT && Array.isArray(entries) ? entries : undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
