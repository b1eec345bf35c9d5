import { createHash } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, BaleError, type Clock, errnoOf, isBaleError, type OperationOptions, printable } from '#base'
import { readBytes, writeFileAtomic } from '#host/file'
import { parseJson } from '#spec'
import type { FetchedUrl, Fetcher } from '#transport'
import { isTransient } from '#transport/http'

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

/** Tries in a row that bring nothing; the pause between them doubles. */
const ATTEMPTS = 5
const FIRST_PAUSE_MS = 1000

/**
 * Downloads what an address has, unless the copy in the cache is still that. A download that breaks goes on where it stopped, also
 * in a later process. Never throws, except when it is cancelled: a failure is part of the result, and the former copy stays.
 */
export async function refreshCopy(address: string, options: RefreshOptions): Promise<Refreshed> {
  const place = cachePlace(options.cache, address)
  const former = await readCopy(place.whole)
  try {
    for (let attempt = 0; ; ) {
      const before = await sizeOf(place.part)
      try {
        return await download(address, { ...options, place, former })
      } catch (error) {
        options.signal?.throwIfAborted()
        const isBroken = isTransient(error) || isBaleError(error, 'SIZE_MISMATCH')
        attempt = (await sizeOf(place.part)) > before ? 1 : attempt + 1
        if (!isBroken || attempt >= ATTEMPTS) throw error
        await options.clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), { signal: options.signal })
      }
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    const failure = isBaleError(error)
      ? error
      : new BaleError('DOWNLOAD_FAILED', asError(error).message, { cause: error })
    return { former: former && copyOf(place, former.at), unchanged: false, failure }
  }
}

interface CachePlace {
  /** The copy, and the download of the next one. Each has a file with `.json` about it. */
  readonly whole: string
  readonly part: string
}

function cachePlace(cache: string, address: string): CachePlace {
  const whole = join(cache, createHash('sha256').update(address).digest('hex').slice(0, 32))
  return { whole, part: `${whole}.part` }
}

/** What is noted of a file beside it. */
interface Note {
  readonly address: string
  readonly at: string
  readonly etag?: string
  readonly lastModified?: string
  /** Bytes, of a whole copy. */
  readonly size?: number
}

type DownloadOptions = RefreshOptions & { place: CachePlace; former: Note | undefined }

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
    for await (const _ of answer.body);
    await writeNote(place.whole, { ...former!, at })
    return { former: copyOf(place, at), unchanged: true }
  }
  const { etag, lastModified } = answer
  const note = { address, at, ...(etag && { etag }), ...(lastModified && { lastModified }) }
  if (answer.outcome === 'whole') {
    await rm(place.part, { force: true })
    await writeNote(place.part, note)
  }
  await append(answer, address, options)
  return {
    fresh: { path: place.part, at, keep: () => keep(place, note), drop: () => remove(place.part) },
    ...(former && { former: copyOf(place, former.at) }),
    unchanged: false,
  }
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

function copyOf({ whole }: CachePlace, at: string): Copy {
  return { path: whole, at, drop: () => remove(whole) }
}

async function keep(place: CachePlace, note: Note): Promise<void> {
  const size = await sizeOf(place.part)
  await rename(place.part, place.whole)
  await writeNote(place.whole, { ...note, size })
  await remove(place.part)
}

async function remove(path: string): Promise<void> {
  for (const one of [path, noteOf(path)]) await rm(one, { force: true })
}

const noteOf = (path: string) => `${path}.json`
const NOTE_LIMIT = 64 * 1024

function writeNote(path: string, note: Note): Promise<void> {
  return writeFileAtomic(noteOf(path), JSON.stringify(note))
}

/** The note of a whole copy that has the size that was noted. */
async function readCopy(path: string): Promise<Note | undefined> {
  const note = await readNote(path)
  return note && note.size === (await sizeOf(path)) ? note : undefined
}

async function readNote(path: string): Promise<Note | undefined> {
  try {
    const note = parseJson((await readBytes(noteOf(path), { limit: NOTE_LIMIT })).toString()) as
      | Partial<Note>
      | undefined
    return typeof note?.at === 'string' && typeof note.address === 'string' ? (note as Note) : undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0
    throw error
  }
}
