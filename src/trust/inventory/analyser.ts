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
  /** The file is of interest only if it begins with one of these, latin1. Other files are left out without a gap. */
  readonly magic?: readonly string[]
  /**
   * What the analysis depends on besides the content: a file with several names is analysed once for all that have the
   * same. By default this is the last part of the path.
   */
  readonly as?: string
  /**
   * `asks`: analysed after all other files of the layer, so that it may ask for some of them. `answers`: not analysed,
   * only kept for others to ask for.
   */
  readonly kept?: 'asks' | 'answers'
}

/**
 * Finds packages in files of one kind. It judges a layer's file by itself, never the file system of the machine, and runs
 * nothing. When it throws, the file becomes a gap with the message as the reason. What a hostile file costs must be bounded
 * by a multiple of its size.
 */
export interface Analyser {
  readonly name: string
  /** By path, size and mode alone; asked for each file of each layer, so it must be cheap. */
  wants(file: LayerFile): Interest | undefined
  /** `beside` gives the file of the same directory with that name in the same layer, if it is kept (`Interest.kept`). */
  analyse(file: ReadableFile, beside: (name: string) => ReadableFile | undefined): Promise<FoundInFile> | FoundInFile
  /**
   * It finds packages of a programming language. They are left out when a package of the distribution installed the
   * file.
   */
  readonly language?: boolean
  /**
   * Set for files like lockfiles, which list what should be installed and do not prove that it is. The directory of the
   * installation, relative to the file's own. The file is left out when installed packages of its type are found there.
   */
  readonly installsInto?: string
}
