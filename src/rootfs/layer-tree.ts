import type { ReadyEntry } from '#format/tar'

/** A name in a directory of one layer. It is looked at when first asked, as long as the directory is the one opened last. */
export interface LayerEntry {
  /** Latin1. */
  readonly name: string
  /** Undefined when it went away since it was listed. */
  kind(): 'directory' | 'whiteout' | 'other' | undefined
  /** Of a directory: whether it hides what lower layers have there. */
  isOpaque(): boolean
  /** Undefined for sockets, which no tar holds, and for what went away. `hardLinks` has the first path of each file. */
  pack(path: string, hardLinks: HardLinks): ReadyEntry | undefined
  /** Of a directory; undefined when it went away. */
  open(): LayerDirectory | undefined
}

/** A directory of one layer, open for one pass. The one opened last is closed first. */
export interface LayerDirectory {
  close(): void
  /** The next name, sorted bytewise. */
  next(): LayerEntry | undefined
}

/** A layer as the overlay stacks it: its image, or a directory with its files. */
export interface LayerTree extends Disposable {
  /** Called once. */
  openRoot(): LayerDirectory
}

/** The first path of each file that has several names, by layer and file. */
export type HardLinks = Map<string, string>
