import { baseName, cleanPath, fromText, type TreeEntry } from '../context/index.ts'
import type { Selection } from './selection.ts'

/** A plain file of root. */
export function plainFile(of: Pick<TreeEntry, 'mode' | 'size' | 'mtime'>): TreeEntry {
  return {
    ...{ type: 'file' as const, uid: 0, gid: 0, mtimeNanoseconds: 0, linkName: '', deviceMajor: 0, deviceMinor: 0 },
    ...{ xattrs: new Map(), inode: undefined },
    ...of,
  }
}

/** A heredoc of COPY or ADD as a source. */
export function inlineFile(name: string, content: string, mtime: number): Selection {
  const bytes = Buffer.from(content)
  const entry = plainFile({ mode: 0o644, size: bytes.length, mtime })
  // Only its last part counts, so that no name leads out of the destination.
  return { name: baseName(cleanPath(fromText(name))), items: [{ relative: '', entry, read: () => [bytes] }] }
}
