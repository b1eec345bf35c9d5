import type { InodeAttributes, InodeType } from './layout.ts'
import { TYPES } from './layout.ts'
import type { Xattrs } from './xattr-area.ts'

/**
 * A written inode that is not a directory, as one number (Maps hold millions of them): its inode number times eight
 * plus the type of its directory entries.
 */
export type Node = number & { readonly node: unique symbol }

export interface Directory {
  attributes: InodeAttributes
  xattrs: Xattrs
  /** Names without "." and "..". */
  children: Map<string, Node | Directory>
}

export function nodeOf(nid: number, type: InodeType): Node {
  return (nid * 8 + TYPES[type].dirent) as Node
}

export function nidOf(node: Node): number {
  return Math.floor(node / 8)
}

export function direntTypeOf(node: Node): number {
  return node % 8
}
