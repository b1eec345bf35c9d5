import { BaleError, printable } from '#base'
import type { ImageInode } from './decode-inode.ts'
import type { ErofsImage } from './erofs-image.ts'
import { damaged } from './image-reader.ts'

/** As many symlinks as the kernel follows in one path. */
const MAX_SYMLINKS = 40

/**
 * Finds a path (latin1) inside the image; symlinks, also absolute ones, are followed inside the image only, and ".." stops
 * at its root. Undefined when there is no such file. The last component is followed unless `followLast` is false.
 */
export async function lookupPath(
  image: ErofsImage,
  path: string,
  options: { followLast?: boolean } = {},
): Promise<ImageInode | undefined> {
  const way = [image.root]
  const left = path.split('/').reverse()
  let symlinks = 0
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (way.length > 1) way.pop()
      continue
    }
    const here = await image.stat(way.at(-1)!)
    if (here.type !== 'directory') return undefined
    const found = await findEntry(image, here.nid, name)
    if (found === undefined) return undefined
    const last = left.every((one) => one === '' || one === '.')
    if (found.type !== 'symlink' || (last && options.followLast === false)) {
      way.push(found.nid)
      continue
    }
    if (++symlinks > MAX_SYMLINKS)
      throw new BaleError('INVALID_ARGUMENT', `the path ${printable(path)} goes through too many symbolic links`)
    const target = await readLink(image, found.nid)
    if (target.startsWith('/')) way.length = 1
    left.push(...target.split('/').reverse())
  }
  return image.stat(way.at(-1)!)
}

async function findEntry(image: ErofsImage, directory: number, name: string) {
  for await (const entry of image.readDirectory(directory)) if (entry.name === name) return entry
  return undefined
}

/** Target of a symlink, latin1. */
export async function readLink(image: ErofsImage, nid: number): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const bytes of image.readData(nid)) pieces.push(bytes)
  return Buffer.concat(pieces).toString('latin1')
}

/** Deeper than any path Linux can open. */
const MAX_DEPTH = 4096

/** An inode with one of its paths. */
export interface WalkedInode extends ImageInode {
  /** Without a leading slash; `''` for the root. */
  path: string
}

/**
 * All names of the image, a directory before its children, in bytewise order; a hard link appears once for each name.
 * Terminates on damaged images too: a directory below itself is INVALID_LAYER_IMAGE.
 */
export async function* walkImage(image: ErofsImage, from = image.root): AsyncGenerator<WalkedInode> {
  const seen = new Set<number>([from])
  yield { ...(await image.stat(from)), path: '' }
  const stack = [{ path: '', entries: image.readDirectory(from)[Symbol.asyncIterator]() }]
  while (stack.length > 0) {
    const top = stack.at(-1)!
    const next = await top.entries.next()
    if (next.done) {
      stack.pop()
      continue
    }
    const { name, nid, type } = next.value
    const path = top.path === '' ? name : `${top.path}/${name}`
    const inode = await image.stat(nid)
    if (inode.type !== type)
      throw damaged(`${printable(path)} is a ${inode.type}, but its directory entry says ${type}`)
    yield { ...inode, path }
    if (type !== 'directory') continue
    // Each directory has one name, so a second one is a loop or damage.
    if (seen.has(nid) || stack.length >= MAX_DEPTH) throw damaged(`directory ${printable(path)} appears twice`)
    seen.add(nid)
    stack.push({ path, entries: image.readDirectory(nid)[Symbol.asyncIterator]() })
  }
}
