import type { FoundInFile } from './model.ts'

/** A regular file of a layer. */
export interface LayerFile {
  /** Without a leading slash, latin1: one character per byte. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** 07777. */
  readonly mode: number
}

/** A regular file with its content, valid until the analysis of it ends. */
export interface ReadableFile extends LayerFile {
  /** Up to `length` bytes from `position` on; fewer at the end of the file only. */
  readAt(position: number, length: number): Promise<Uint8Array>
  /** The whole file. */
  read(): Promise<Buffer>
}

/** Which files an analyser looks at, and how. */
export interface Interest {
  /** Most bytes of a file; a larger one is not read and becomes a gap. */
  readonly limit: number
  /** The file is of interest only if it begins with one of these, latin1. Others are left out without a gap. */
  readonly magic?: readonly string[]
}

/**
 * Finds packages in files of one kind. It judges a layer's file by itself, never the file system of the machine, and runs
 * nothing. What it throws becomes a gap that names the file; a hostile file must cost no more than a bounded
 * multiple of its size.
 */
export interface Analyser {
  readonly name: string
  /** By name, size and mode alone; asked for each file of each layer, so it must be cheap. */
  wants(file: LayerFile): Interest | undefined
  /** `beside` gives the file of the same directory with that name in the same layer, if `companions` names its ending. */
  analyse(file: ReadableFile, beside: (name: string) => ReadableFile | undefined): Promise<FoundInFile> | FoundInFile
  /** Endings of names of files that `analyse` may ask for beside one that it wants (`-wal`), with the limit of each. */
  readonly companions?: Readonly<Record<string, number>>
  /** Packages of programming languages: left out when a package of the distribution installed the file. */
  readonly language?: boolean
  /**
   * Of files that say what is to be installed, which do not prove that it is: the directory, relative to the file's, that
   * it is installed into. The file is left out where installed packages of the same type are found there.
   */
  readonly installsInto?: string
}
