import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '#base'
import { acquireLock, monotonic, namesIn } from '#host/file'

/**
 * A log is `log`, which the monitor writes, and before it `log.GENERATION.PIECE`: what one rotation has moved aside, cut to
 * the requested size. Generations only grow, so a reader knows what it has read. While a rotation is under way, or after
 * one that was killed, there is `log.rotating` (and `log.cut.PIECE`, its pieces, which count when it is gone).
 */
export interface LogLimits {
  /** Bytes of one file. */
  maxSize: number
  /** How many files there are in all, the one that is written included. */
  maxFiles: number
}

export interface LogPlace {
  path: string
  /** Held while files of the log are renamed or opened. */
  lock: string
}

export interface Rotation {
  limits: LogLimits
  /** Makes the monitor reopen `log`. */
  reopen: () => Promise<void>
  /** False when there is no writer any more. */
  isWritten: () => boolean
}

const REOPEN_MILLISECONDS = 2000
/** After this long without an answer the request is repeated; the monitor would truncate its new file if it received both. */
const ASK_AGAIN_MILLISECONDS = 60_000

/** Moves a log larger than its limit aside and removes the oldest files. No line is lost or duplicated. */
export async function rotateLog(place: LogPlace, { limits, ...monitor }: Rotation): Promise<boolean> {
  await using _ = await acquireLock(place.lock)
  const rotating = `${place.path}.rotating`
  const pending = await sizeOf(rotating)
  if (pending === undefined) {
    await publishPieces(place.path, limits)
    if (((await sizeOf(place.path)) ?? 0) <= limits.maxSize) return false
    await rename(place.path, rotating)
  }
  const old = pending !== undefined && Date.now() - (await stat(rotating)).ctimeMs > ASK_AGAIN_MILLISECONDS
  if (!(await isExchanged(place.path, pending === undefined || old, monitor))) return false
  await cut(place.path, limits)
  await publishPieces(place.path, limits)
  return true
}

/** True when the monitor does not write to the old file any more. */
async function isExchanged(
  path: string,
  ask: boolean,
  { reopen, isWritten }: Pick<Rotation, 'reopen' | 'isWritten'>,
): Promise<boolean> {
  if ((await sizeOf(path)) !== undefined || !isWritten()) return true
  if (ask) await reopen()
  for (const end = monotonic() + REOPEN_MILLISECONDS; monotonic() < end; await sleep(5))
    if ((await sizeOf(path)) !== undefined || !isWritten()) return true
  return false
}

/** Cuts what was moved aside into pieces: as much of its end as allowed, each piece at most one file's size. */
async function cut(path: string, limits: LogLimits): Promise<void> {
  const rotating = `${path}.rotating`
  for (const piece of await piecesOf(path)) await rm(piece, { force: true })
  const size = (await sizeOf(rotating)) ?? 0
  await using file = await open(rotating, 'r')
  const ranges: { start: number; end: number }[] = []
  // From the end, so that the newest pieces are full ones.
  for (let end = size; end > 0 && ranges.length < keptFiles(limits); ) {
    const start = end <= limits.maxSize ? 0 : await recordFrom(file, end - limits.maxSize, end)
    ranges.unshift({ start, end })
    end = start
  }
  for (const [piece, { start, end }] of ranges.entries())
    await pipeline(
      createReadStream(rotating, { start, end: end - 1 }),
      createWriteStream(`${path}.cut.${piece}`, { mode: 0o600 }),
    )
  await rm(rotating)
}

/** The rotated ones; with one file in all there is still one of them, or nothing would be left after a rotation. */
const keptFiles = ({ maxFiles }: LogLimits) => Math.max(1, maxFiles - 1)

const WINDOW = 64 * 1024

/** Where the first record begins that starts between two offsets; a single longer one is cut where it must be. */
async function recordFrom(file: FileHandle, offset: number, end: number): Promise<number> {
  // A record may begin exactly there: its predecessor's end is looked at, too.
  const { bytesRead, buffer } = await file.read(Buffer.alloc(WINDOW), 0, Math.min(WINDOW, end - offset), offset - 1)
  const found = buffer.subarray(0, bytesRead).indexOf(0x0a)
  return found < 0 ? offset : offset + found
}

/** Gives the pieces their names and removes the oldest files. Not while `log.rotating` exists. */
async function publishPieces(path: string, limits: LogLimits): Promise<void> {
  const pieces = await piecesOf(path)
  const rotated = await rotatedFiles(path)
  const generation = (rotated.at(-1)?.generation ?? 0) + 1
  for (const [index, piece] of pieces.entries()) await rename(piece, `${path}.${generation}.${index}`)
  const all = await rotatedFiles(path)
  for (const { path: old } of all.slice(0, Math.max(0, all.length - keptFiles(limits)))) await rm(old, { force: true })
}

interface RotatedFile {
  path: string
  generation: number
}

/** Oldest first. */
async function rotatedFiles(path: string): Promise<RotatedFile[]> {
  const found = await numbered(path, /\.(\d+)\.(\d+)$/)
  return found.map(({ name, numbers }) => ({ path: name, generation: numbers[0]! }))
}

async function piecesOf(path: string): Promise<string[]> {
  return (await numbered(path, /\.cut\.(\d+)$/)).map(({ name }) => name)
}

async function numbered(path: string, pattern: RegExp): Promise<{ name: string; numbers: number[] }[]> {
  const start = basename(path)
  return (await namesIn(dirname(path)))
    .flatMap((name) => {
      const match = name.startsWith(`${start}.`) ? pattern.exec(name.slice(start.length)) : null
      return match?.index === 0 ? [{ name: join(dirname(path), name), numbers: match.slice(1).map(Number) }] : []
    })
    .sort((one, other) => one.numbers[0]! - other.numbers[0]! || (one.numbers[1] ?? 0) - (other.numbers[1] ?? 0))
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

export interface OpenLog {
  /** Oldest first; the last one is what the monitor writes. Empty when there is no log yet. */
  handles: FileHandle[]
  /** Of the last handle: where a later call continues. */
  generation: number
}

/**
 * Opens all files of a log at one moment; one that is rotated away afterwards can still be read. With `after` only the files
 * that came after that generation.
 */
export async function openLog({ path, lock }: LogPlace, after = -1): Promise<OpenLog> {
  await using _ = await acquireLock(lock)
  const rotated = await rotatedFiles(path)
  const last = rotated.at(-1)?.generation ?? 0
  const rotating = `${path}.rotating`
  const pending = (await sizeOf(rotating)) === undefined ? await piecesOf(path) : [rotating]
  const paths = [
    ...rotated.filter(({ generation }) => generation > after).map((file) => file.path),
    ...(last + 1 > after ? pending : []),
  ]
  const handles: FileHandle[] = []
  try {
    for (const one of paths) handles.push(await open(one, 'r'))
    if ((await sizeOf(path)) === undefined) return { handles, generation: last + Math.min(pending.length, 1) }
    handles.push(await open(path, 'r'))
    return { handles, generation: last + 1 + Math.min(pending.length, 1) }
  } catch (error) {
    for (const handle of handles) await handle.close()
    throw error
  }
}
