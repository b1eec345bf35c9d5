import { createHash } from 'node:crypto'
import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError } from '#base'
import { readBytes, writeFileAtomic } from '#host/file'
import { parseJson } from '#spec'

/** Where the cache has an address: the copy, and the download of the next one. Each has a file with `.json` about it. */
export interface CopyPlace {
  readonly whole: string
  readonly part: string
}

export function copyPlace(cache: string, address: string): CopyPlace {
  const whole = join(cache, createHash('sha256').update(address).digest('hex').slice(0, 32))
  return { whole, part: `${whole}.part` }
}

/** What is noted of a file beside it. */
export interface CopyNote {
  readonly address: string
  /** When it was what the server had, RFC 3339. */
  readonly at: string
  readonly etag?: string
  readonly lastModified?: string
  /** Bytes, of a whole copy. */
  readonly size?: number
}

const noteOf = (path: string) => `${path}.json`
const NOTE_LIMIT = 64 * 1024

export function writeNote(path: string, note: CopyNote): Promise<void> {
  return writeFileAtomic(noteOf(path), JSON.stringify(note))
}

/** Undefined when there is none, and for one that is damaged or cannot be read: all is then fetched again. */
export async function readNote(path: string): Promise<CopyNote | undefined> {
  try {
    const bytes = await readBytes(noteOf(path), { limit: NOTE_LIMIT })
    return noteFrom(parseJson(bytes.toString()))
  } catch (error) {
    if (errnoOf(error) === undefined && !isBaleError(error)) throw error
    return undefined
  }
}

function noteFrom(value: unknown): CopyNote | undefined {
  const { address, at, etag, lastModified, size } = (value ?? {}) as Partial<Record<keyof CopyNote, unknown>>
  if (typeof address !== 'string' || typeof at !== 'string' || Number.isNaN(Date.parse(at))) return undefined
  return {
    address,
    at,
    ...(isValidator(etag) && { etag }),
    ...(isValidator(lastModified) && { lastModified }),
    ...(Number.isSafeInteger(size) && { size: size as number }),
  }
}

/** What a server called a state of its file, if it can be sent back: anything else would make every later request fail. */
export function isValidator(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]{1,1000}$/.test(value)
}

/** The note of a whole copy that has the size that was noted. */
export async function readCopy({ whole }: CopyPlace): Promise<CopyNote | undefined> {
  const note = await readNote(whole)
  return note && note.size === (await sizeOf(whole)) ? note : undefined
}

/** Makes a download that is complete the copy. */
export async function keepPart(place: CopyPlace, note: CopyNote): Promise<void> {
  const size = await sizeOf(place.part)
  await rename(place.part, place.whole)
  await writeNote(place.whole, { ...note, size })
  await removeCopy(place.part)
}

/** A file of a place, and what is noted of it. */
export async function removeCopy(path: string): Promise<void> {
  for (const one of [path, noteOf(path)]) await rm(one, { force: true })
}

/** Bytes; 0 when there is no file. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0
    throw error
  }
}
