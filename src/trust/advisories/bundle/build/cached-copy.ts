import { open, rm } from 'node:fs/promises'
import { asError, BaleError, type Clock, errnoOf, isBaleError, type OperationOptions, printable } from '#base'
import { withNoSpace } from '#host/file'
import type { FetchedUrl, Fetcher } from '#transport'
import { isTransient } from '#transport/http'
import {
  type CopyNote,
  type CopyPlace,
  copyPlace,
  isValidator,
  keepPart,
  readCopy,
  readNote,
  removeCopy,
  sizeOf,
  writeNote,
} from './copy-place.ts'

/** A file that was downloaded. */
interface Copy {
  readonly path: string
  /** When it was what the server had, RFC 3339. */
  readonly at: string
  /** Forgets it, when it turns out to be of no use: it is then fetched again as a whole. */
  drop?(): Promise<void>
}

/** What there is of an address after it was asked. */
export interface Refreshed {
  /** Just downloaded; to be kept or dropped once it is known whether it is of use. */
  readonly fresh?: Copy & { keep(): Promise<void> }
  /** From an earlier time. */
  readonly former?: Copy
  /** The server says that the former copy is what it has. */
  readonly unchanged: boolean
  /** Why there is no fresh one, although the former may be outdated. */
  readonly failure?: BaleError
}

interface RefreshOptions extends OperationOptions {
  /** An existing directory for copies. One process at a time uses it. */
  cache: string
  fetcher: Fetcher
  clock: Clock
  /** Bytes. */
  limit: number
}

/** Tries in a row that bring next to nothing; the pause between them doubles. */
const ATTEMPTS = 5
/** As much new data as pays for another series of tries. */
const PROGRESS_BYTES = 256 * 1024
const CONNECTIONS_AT_MOST = 100
const FIRST_PAUSE_MS = 1000

/**
 * Downloads what is at an address, unless the copy in the cache is still current. A broken download resumes where it stopped, even
 * in a later process. A failure is part of the result, and the former copy stays; thrown are only NO_SPACE and the signal's reason.
 */
export async function refreshCopy(address: string, options: RefreshOptions): Promise<Refreshed> {
  const place = copyPlace(options.cache, address)
  const former = await readCopy(place)
  try {
    return await withNoSpace(options.cache, () => downloadPersistently(address, { ...options, place, former }))
  } catch (error) {
    options.signal?.throwIfAborted()
    return { former: former && copyOf(place, former.at), unchanged: false, failure: asFailure(error) }
  }
}

/** Thrown again when it is no reason to do without a source: a full disk, and a mistake in this program. */
export function asFailure(error: unknown): BaleError {
  if (isBaleError(error) && error.code !== 'NO_SPACE') return error
  if (errnoOf(error) === undefined) throw error
  return new BaleError('DOWNLOAD_FAILED', asError(error).message, { cause: error })
}

type DownloadOptions = RefreshOptions & { place: CopyPlace; former: CopyNote | undefined }

async function downloadPersistently(address: string, options: DownloadOptions): Promise<Refreshed> {
  const { clock, place, signal } = options
  for (let connections = 1, failures = 0; ; connections++) {
    const before = await sizeOf(place.part)
    try {
      return await download(address, options)
    } catch (error) {
      signal?.throwIfAborted()
      const isBroken = isTransient(error) || isBaleError(error, 'SIZE_MISMATCH')
      failures = (await sizeOf(place.part)) - before >= PROGRESS_BYTES ? 1 : failures + 1
      if (!isBroken || failures >= ATTEMPTS || connections >= CONNECTIONS_AT_MOST) throw error
      await clock.sleep(FIRST_PAUSE_MS * 2 ** (failures - 1), { signal })
    }
  }
}

async function download(address: string, options: DownloadOptions): Promise<Refreshed> {
  const { place, former, fetcher, clock, signal } = options
  const begun = await readNote(place.part)
  const bytes = begun ? await sizeOf(place.part) : 0
  const earlier =
    bytes > 0
      ? { ...begun, bytes, complete: false }
      : { ...former, bytes: former?.size ?? 0, complete: former !== undefined }
  const answer = await fetcher.get(address, { earlier, signal })
  const at = new Date(clock.now()).toISOString()
  if (answer.outcome === 'unchanged') {
    await writeNote(place.whole, { ...former!, at })
    return { former: copyOf(place, at), unchanged: true }
  }
  const note = { address, at, ...validatorsOf(answer, begun) }
  if (answer.outcome === 'whole') {
    await rm(place.part, { force: true })
    await writeNote(place.part, note)
  }
  await append(answer, address, options)
  return {
    fresh: { path: place.part, at, keep: () => keepPart(place, note), drop: () => removeCopy(place.part) },
    ...(former && { former: copyOf(place, former.at) }),
    unchanged: false,
  }
}

/** A server may leave them out of the rest of a file: what it said with the beginning holds. Source: RFC 9110 section 15.3.7. */
function validatorsOf(
  { outcome, ...said }: FetchedUrl,
  begun: CopyNote | undefined,
): Pick<CopyNote, 'etag' | 'lastModified'> {
  const before = outcome === 'rest' ? begun : undefined
  const [etag, lastModified] = [said.etag ?? before?.etag, said.lastModified ?? before?.lastModified]
  return { ...(isValidator(etag) && { etag }), ...(isValidator(lastModified) && { lastModified }) }
}

async function append({ body }: FetchedUrl, address: string, { place, limit }: DownloadOptions): Promise<void> {
  await using file = await open(place.part, 'a', 0o600)
  let { size } = await file.stat()
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) throw new BaleError('LIMIT_EXCEEDED', `${printable(address)} has more than ${limit} bytes`)
    await file.appendFile(chunk)
  }
  await file.sync()
}

function copyOf({ whole }: CopyPlace, at: string): Copy {
  return { path: whole, at, drop: () => removeCopy(whole) }
}
