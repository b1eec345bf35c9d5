import { closeSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { BaleError, errnoOf } from '#base'

interface ReadOptions {
  /** LIMIT_EXCEEDED beyond so many bytes; 64 MiB when not given. */
  limit?: number
}

/**
 * All bytes of a file, a pipe, or an open descriptor (from its position), however short the pieces in which they
 * come. The kernel's own files (/proc, /sys, control groups) report no size and come in pieces; Node 24.21 overflows its
 * buffer when it reads such a file as text with readFileSync and the file is longer than 64 KiB. So nothing in bale reads
 * a file with Node's readFile; test/architecture.test.ts holds that.
 */
export function readBytesSync(file: string | URL | number, { limit = LIMIT }: ReadOptions = {}): Buffer {
  const fd = typeof file === 'number' ? file : openSync(file, 'r')
  try {
    const pieces = new Pieces(String(file), limit)
    while (pieces.took(readSync(fd, pieces.room())));
    return pieces.whole()
  } catch (error) {
    throw withPath(error, file)
  } finally {
    if (fd !== file) closeSync(fd)
  }
}

/** Text of such a file. `latin1` keeps each byte as one character: for paths, which need not be UTF-8. */
export function readTextSync(file: string | URL | number, options: ReadOptions & TextOptions = {}): string {
  return readBytesSync(file, options).toString(options.encoding ?? 'utf8')
}

/** The same without holding up others: for what may be a pipe that somebody else fills, and for large files. */
export async function readBytes(path: string, { limit = LIMIT }: ReadOptions = {}): Promise<Buffer> {
  await using handle = await open(path, 'r')
  const pieces = new Pieces(path, limit)
  try {
    while (pieces.took((await handle.read(pieces.room())).bytesRead));
  } catch (error) {
    throw withPath(error, path)
  }
  return pieces.whole()
}

/** What the system says of an open file does not say which it is. */
function withPath(error: unknown, file: string | URL | number): unknown {
  if (errnoOf(error) === undefined || typeof file === 'number' || 'path' in (error as object)) return error
  return Object.assign(error as Error, { path: String(file) })
}

export async function readText(path: string, options: ReadOptions & TextOptions = {}): Promise<string> {
  return (await readBytes(path, options)).toString(options.encoding ?? 'utf8')
}

/** Undefined when there is no file, or none that this process may read. */
export async function readTextIfThere(
  path: string,
  options: ReadOptions & TextOptions = {},
): Promise<string | undefined> {
  try {
    return await readText(path, options)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

interface TextOptions {
  encoding?: 'utf8' | 'latin1'
}

const LIMIT = 64 << 20
/** Most files that are read so are shorter, and a large piece takes longer to make than to fill. */
const FIRST_PIECE = 4 << 10
const PIECE = 64 << 10

/** What was read so far, and room for the next piece. */
class Pieces {
  readonly #what: string
  readonly #limit: number
  readonly #full: Buffer[] = []
  #piece = Buffer.allocUnsafe(FIRST_PIECE)
  #used = 0
  #before = 0

  constructor(what: string, limit: number) {
    this.#what = what
    this.#limit = limit
  }

  room(): Buffer {
    if (this.#used === this.#piece.length) {
      this.#full.push(this.#piece)
      this.#before += this.#used
      this.#piece = Buffer.allocUnsafe(PIECE)
      this.#used = 0
    }
    return this.#piece.subarray(this.#used)
  }

  /** False at the end of the file. */
  took(count: number): boolean {
    this.#used += count
    if (this.#before + this.#used > this.#limit)
      throw new BaleError('LIMIT_EXCEEDED', `${this.#what} is larger than ${this.#limit} bytes`)
    return count > 0
  }

  whole(): Buffer {
    return Buffer.concat([...this.#full, this.#piece.subarray(0, this.#used)])
  }
}
