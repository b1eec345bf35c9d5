import type { OperationOptions } from '#base'
import type { LayerFile, ReadableFile } from '../analyser.ts'

/**
 * What a layer has at a path once all of it is read. Paths have no leading slash and lead through none of the layer's
 * own links.
 */
export type LayerChange =
  /** Adds or replaces. A directory joins the one of the layers below; everything else hides what they have there. */
  | { readonly kind: 'directory' | 'other'; readonly path: string }
  /** Hides the path in the layers below. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** Hides all that the layers below have in the directory. */
  | { readonly kind: 'opaque'; readonly path: string }
  /** Hard links are files; all names of one file have the same `inode`, a number that means nothing else. */
  | ({ readonly kind: 'file'; readonly inode: number } & LayerFile)
  /** `target` is latin1, as it is written; undefined unless the visitor wants it. */
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string | undefined }

/** Content that a visitor asks for. */
export interface Wanted {
  /** The content of one file is given once for each key, however many names of the file are wanted with it. */
  readonly key: string
  /** The content is given only if the file begins with one of these, latin1. */
  readonly magic?: readonly string[]
  /** Nothing of the content is read: `content` only says that the file begins as `magic` says. */
  readonly headOnly?: boolean
  /** The file stays readable until the visit ends, not only until `content` returns. */
  readonly keep?: boolean
}

/** Receives a layer in one pass. */
export interface LayerVisitor {
  /** True when the targets of symbolic links are wanted: reading them takes time. */
  readonly wantsTargets?: boolean
  /** May be called more than once for a file, and for a file that the layer replaces later. */
  wants(file: LayerFile): Wanted | undefined
  /** The content of a wanted file, before or after its `change`. Not called when the file does not begin as `magic` says. */
  content(file: ReadableFile, inode: number): Promise<void>
  /**
   * Called once for each path, a directory before what is in it, and `opaque` before its directory. Files come in the same
   * order from both readers. `wanted` is what `wants` said of a file.
   */
  change(change: LayerChange, wanted?: Wanted): void
  /** Called once, after everything else, while kept files can still be read; also when the layer is damaged, but not after an abort. */
  end?(): Promise<void>
}

/** The files of one layer: read from its tar as it streams, or from its image in the store. */
export interface LayerFiles {
  /** Throws what reading the layer throws; the visitor has then seen a part of the layer. */
  visit(visitor: LayerVisitor, options?: OperationOptions): Promise<void>
}
