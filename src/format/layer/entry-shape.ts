import { isStorableXattr, type NodeShape, type Xattrs, xattrAreaSize } from '../erofs/index.ts'
import type { TarEntry } from '../tar/index.ts'

/**
 * Marks that overlayfs reads from its layers. In a tar they are an attempt to reach the kernel directly (T11), so they
 * are dropped, as are attributes that an image cannot hold. `security.capability` and ACLs stay.
 */
export function imageXattrs(xattrs: Xattrs): Xattrs {
  if (xattrs.size === 0) return xattrs
  return new Map([...xattrs].filter(([name]) => isStorableXattr(name) && !/^(trusted|user)\.overlay\./.test(name)))
}

/**
 * What an entry takes in the image, or undefined for directories and hard links, which take nothing while the tar
 * streams. Writer and reassembly both ask here: this is part of the format.
 */
export function entryShape(entry: TarEntry): NodeShape | undefined {
  if (entry.type === 'directory' || entry.type === 'hardlink') return undefined
  const xattrBytes = xattrAreaSize(imageXattrs(entry.xattrs))
  if (entry.type === 'symlink') return { size: entry.linkName.length, xattrBytes }
  return { size: entry.type === 'file' ? entry.size : 0, xattrBytes, extents: entry.sparse }
}
