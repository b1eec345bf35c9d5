import type { OperationOptions } from '#base'
import type { LayerFile, ReadableFile } from '../analyser.ts'

/** What a layer does to a path, as its reader says it. Paths have no leading slash. */
export type LayerChange =
  /** Adds or replaces. A directory joins the one of the layers below; all else hides what they have there. */
  | { readonly kind: 'directory' | 'other'; readonly path: string }
  /** Hides the path in the layers below. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** Hides all that the layers below have in the directory. */
  | { readonly kind: 'opaque'; readonly path: string }
  | ({ readonly kind: 'file' } & LayerFile)
  /** `target` is latin1, as it is written; undefined unless the visitor wants it. */
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string | undefined }

/** Content that a visitor asks for. */
export interface Wanted {
  /** The content follows only if the file begins with one of these, latin1. */
  readonly magic?: readonly string[]
  /** The file stays readable until the visit ends, not only until `content` returned. */
  readonly keep?: boolean
}

/** Receives a layer in one pass. */
export interface LayerVisitor {
  /** True when the targets of symbolic links are wanted: reading them takes time. */
  readonly wantsTargets?: boolean
  /** Called once for each path. With an answer, the content of the file follows by `content`. */
  change(change: LayerChange): Wanted | undefined
  /** Not called when the file does not begin as `magic` says. */
  content(file: ReadableFile): Promise<void>
  /**
   * A hard link to a file of the same layer, where the layer is a tar; told when all other changes and contents were. Its path came as
   * a `change` before. `content`: the link's own name is wanted and the file was not, so that it is read again, as a `change` of that name.
   */
  link(path: string, target: string): 'content' | 'nothing'
  /** Called once, after all of the layer, while files that were to be kept can still be read. */
  end?(): Promise<void>
}

/** The files of one layer: of its tar as it streams, or of the image of the layer in the store. */
export interface LayerFiles {
  /** Throws what reading the layer throws; then the visitor was told a part only. */
  visit(visitor: LayerVisitor, options?: OperationOptions): Promise<void>
}
