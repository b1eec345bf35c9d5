import { closeSync, constants, fchmodSync, ftruncateSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { errnoOf } from '#base'
import type { PackedEntry } from '#format/tar'
import { openRoot, type RootDirectory } from '#host'
import { writeData } from '#host/file'
import { toBytes } from '../context/index.ts'

/**
 * Writes the files of a tree into a directory of the host, over what is there, and nothing outside of it whatever links lie
 * in either. They belong to who runs this; devices are left out. Returns how many entries were left out.
 */
export async function writeDirectory(entries: AsyncIterable<PackedEntry>, destination: string): Promise<number> {
  await mkdir(destination, { recursive: true })
  using root = openRoot(destination, { links: 'refused' })
  const directories: PackedEntry['entry'][] = []
  let skipped = 0
  for await (const packed of entries) {
    const { entry } = packed
    const path = toBytes(entry.name.replace(/\/+$/, ''))
    if (path.length === 0 || path.equals(toBytes('.'))) continue
    switch (entry.type) {
      case 'directory':
        makeDirectory(root, path)
        directories.push(entry)
        break
      case 'symlink':
        root.removeAll(path)
        root.symlink(toBytes(entry.linkName!), path)
        break
      case 'hardlink':
        root.removeAll(path)
        root.link(toBytes(entry.linkName!), path)
        break
      case 'file':
        await writeFile(root, path, packed)
        setTimes(root, path, entry)
        break
      default:
        skipped++
    }
  }
  // Deepest first: writing into a directory changes its time, and its mode may forbid to write at all.
  for (const entry of directories.reverse()) {
    const path = toBytes(entry.name.replace(/\/+$/, ''))
    const descriptor = root.open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      fchmodSync(descriptor, entry.mode ?? 0o755)
    } finally {
      closeSync(descriptor)
    }
    setTimes(root, path, entry)
  }
  return skipped
}

function makeDirectory(root: RootDirectory, path: Buffer): void {
  const found = root.statIfThere(path, { follow: false })
  if (found?.isDirectory()) return
  if (found) root.unlink(path)
  root.mkdir(path, 0o700)
}

async function writeFile(root: RootDirectory, path: Buffer, { entry, data }: PackedEntry): Promise<void> {
  root.removeAll(path)
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW
  const descriptor = root.open(path, flags, 0o600)
  try {
    const opened = typeof data === 'function' ? await data() : data
    if (opened instanceof Uint8Array) writeAll(descriptor, opened)
    else await writeExtents(descriptor, entry, opened ?? [])
    fchmodSync(descriptor, entry.mode ?? 0o644)
  } finally {
    closeSync(descriptor)
  }
}

/** Zeros become holes. */
async function writeExtents(
  descriptor: number,
  { sparse, size = 0 }: PackedEntry['entry'],
  data: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const extents = sparse ?? [{ offset: 0, length: size }]
  let index = 0
  let done = 0
  for await (let bytes of data) {
    for (let extent = extents[index]; extent && bytes.length > 0; extent = extents[index]) {
      const part = bytes.subarray(0, extent.length - done)
      writeData(descriptor, part, extent.offset + done)
      bytes = bytes.subarray(part.length)
      done += part.length
      if (done < extent.length) continue
      index++
      done = 0
    }
  }
  ftruncateSync(descriptor, size)
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
}

function setTimes(root: RootDirectory, path: Buffer, { mtime = 0, mtimeNanoseconds = 0 }: PackedEntry['entry']): void {
  const time = { seconds: mtime, nanoseconds: mtimeNanoseconds }
  try {
    root.utimes(path, time, time)
  } catch (error) {
    // A file system that cannot hold the time keeps its own.
    if (errnoOf(error) !== 'EINVAL') throw error
  }
}
