import { printable } from '#base'
import { openErofs } from './erofs-image.ts'
import { damaged } from './image-reader.ts'
import { readLink, walkImage } from './lookup.ts'
import type { RandomSource } from './random-access.ts'

/**
 * Reads all metadata of an image and compares what it says twice: link counts against names, symlinks against their
 * sizes, and that all data is within the image. Throws INVALID_LAYER_IMAGE for the first contradiction. File contents have
 * no redundant copy here (the diff ID covers them).
 */
export async function checkErofs(source: RandomSource): Promise<{ inodes: number; names: number }> {
  const image = await openErofs(source)
  const links = new Map<number, { expected: number; found: number; path: string }>()
  const children = new Map<string, number>()
  let names = 0
  for await (const one of walkImage(image)) {
    names++
    if (one.type === 'directory') {
      children.set(one.path, 0)
      if (one.path !== '') {
        const parent = one.path.slice(0, Math.max(0, one.path.lastIndexOf('/')))
        children.set(parent, (children.get(parent) ?? 0) + 1)
      }
      links.set(one.nid, { expected: one.links, found: 2, path: one.path })
    } else {
      const known = links.get(one.nid)
      if (known) known.found++
      else {
        links.set(one.nid, { expected: one.links, found: 1, path: one.path })
        await image.xattrs(one.nid)
        if (one.type === 'file') await image.extents(one.nid)
        if (one.type === 'symlink' && (await readLink(image, one.nid)).length !== one.size)
          throw damaged(`the symlink ${printable(one.path)} is truncated`)
      }
    }
  }
  for (const { expected, found, path } of links.values()) {
    const real = found + (children.get(path) ?? 0)
    if (expected !== real) throw damaged(`${printable(path || '/')} has ${real} names, but records ${expected}`)
  }
  return { inodes: links.size, names }
}
