import type { FileHandle } from 'node:fs/promises'
import { BaleError, isBaleError, printable } from '#base'
import { createTarScanner, normalisePath, type TarEntry } from '#format/tar'

/** The position of a file's bytes in the archive. */
export interface ArchiveFile {
  offset: number
  size: number
}

export interface ArchiveIndex {
  /**
   * The file that a path leads to, links followed inside the archive only; undefined when there is none. INVALID_ARCHIVE
   * for paths and links that lead out of the archive (T27).
   */
  find(path: string): ArchiveFile | undefined
}

const LINKS_LIMIT = 16
/** An image archive has a handful of entries for each layer. */
const ENTRIES_LIMIT = 200_000

/**
 * Reads the headers of a plain tar in a file and skips the data. INVALID_ARCHIVE when it is no tar or is cut off. Nothing
 * of an archive is ever extracted by name.
 */
export async function indexArchive(file: FileHandle, size: number, what: string): Promise<ArchiveIndex> {
  const entries = new Map<string, { entry: TarEntry; file: ArchiveFile }>()
  const scanner = createTarScanner({
    dataless: true,
    limits: { entries: ENTRIES_LIMIT },
    onEntry: (entry, { data }) =>
      entries.set(normalisePath(entry.name).join('/'), { entry, file: { offset: data, size: entry.size } }),
  })
  try {
    await scanHeaders(file, size, scanner)
    scanner.end()
  } catch (error) {
    if (!isBaleError(error, 'INVALID_TAR')) throw error
    throw invalidArchive(`${what} is not an image archive: ${error.message}`, error)
  }
  if (scanner.offset > size)
    throw invalidArchive(`${what} is truncated: it has ${size} of at least ${scanner.offset} bytes`)
  return { find: (path) => follow(entries, path) }
}

const WINDOW = 64 * 1024
const BLOCK = 512

async function scanHeaders(
  file: FileHandle,
  size: number,
  scanner: ReturnType<typeof createTarScanner>,
): Promise<void> {
  const window = Buffer.allocUnsafe(WINDOW)
  let start = 0
  let length = 0
  while (!scanner.ended && scanner.offset < size) {
    const at = scanner.offset
    if (at < start || at >= start + length) {
      start = at
      length = (await file.read(window, 0, WINDOW, at)).bytesRead
      if (length === 0) return
    }
    // Never more than one block: what follows it may be data, which the scanner is not to see.
    const end = Math.min(at + BLOCK - (at % BLOCK), start + length)
    scanner.push(window.subarray(at - start, end - start))
  }
}

function follow(entries: Map<string, { entry: TarEntry; file: ArchiveFile }>, path: string): ArchiveFile | undefined {
  let current = inside([], path, path)
  for (let links = 0; links <= LINKS_LIMIT; links++) {
    const found = entries.get(current.join('/'))
    if (found === undefined) return undefined
    const { entry, file } = found
    if (entry.type === 'symlink') current = inside(current.slice(0, -1), entry.linkName, path)
    else if (entry.type === 'hardlink') current = inside([], entry.linkName, path)
    else if (entry.type !== 'file' || entry.sparse) {
      throw invalidArchive(
        `the archive's ${quoted(path)} is not a plain file, but ${entry.sparse ? 'sparse' : `a ${entry.type}`}`,
      )
    } else return file
  }
  throw invalidArchive(`the archive's ${quoted(path)} is a chain of more than ${LINKS_LIMIT} links`)
}

/** Resolves a path lexically. An absolute link starts at the archive's root. */
function inside(directory: readonly string[], path: string, asked: string): string[] {
  const result = path.startsWith('/') ? [] : [...directory]
  for (const step of path.split('/')) {
    if (step === '' || step === '.') continue
    if (step !== '..') result.push(step)
    else if (result.pop() === undefined) throw invalidArchive(`${quoted(asked)} leads out of the archive`)
  }
  return result
}

const quoted = (path: string) => `"${printable(path, 200)}"`

export function invalidArchive(message: string, cause?: unknown): BaleError {
  return new BaleError('INVALID_ARCHIVE', message, {
    next: { act: 'import' },
    hint: 'archives of docker, podman, skopeo and bale, and OCI archives, can be loaded',
    cause,
  })
}
