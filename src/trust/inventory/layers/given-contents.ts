import type { Wanted } from './layer-files.ts'

/** Which contents a visitor was given: each once for a key, whatever the number of names of a file. */
export interface GivenContents {
  /** Also for a content that was looked at and found to begin otherwise than wanted. */
  add(inode: number, wanted: Wanted): void
  has(inode: number, wanted: Wanted): boolean
  forget(inode: number): void
}

export function createGivenContents(): GivenContents {
  const keys = new Map<number, Set<string>>()
  return {
    add(inode, { key }) {
      const known = keys.get(inode)
      if (known) known.add(key)
      else keys.set(inode, new Set([key]))
    },
    has: (inode, { key }) => keys.get(inode)?.has(key) ?? false,
    forget: (inode) => void keys.delete(inode),
  }
}
