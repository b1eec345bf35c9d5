import { BaleError } from '#base'
import type { TarEntry } from './entry.ts'
import { type BuiltEntry, buildEntry, checkSize, type PendingRecords } from './entry-builder.ts'
import { BLOCK, isZeroBlock, readHeader, readText, type TarHeader } from './header.ts'
import { defaultTarLimits, type TarLimits } from './limits.ts'
import { readNumber } from './number-field.ts'
import { type PaxRecord, parsePax } from './pax.ts'
import { checkSparse, readOldSparse, SparseMapReader, type SparseSegment } from './sparse.ts'
import { tarError } from './tar-error.ts'

/** Byte positions in the whole tar. */
export interface TarPosition {
  /** First byte of all that belongs to the entry, PAX records and long names included. */
  header: number
  /** First byte of its data, also when there is none. */
  data: number
}

/**
 * Called in the order of the stream: the bytes given to `onStructure` and `onData`, joined, are the exact tar. All
 * bytes are views of the pushed chunk and are valid during the call only.
 */
export interface TarHandlers {
  /** Called after all structure before the entry's data has been reported. */
  onEntry?(entry: TarEntry, position: TarPosition): void
  /** Data of a file (of a sparse file: its segments in sequence), in pieces. */
  onData?(entry: TarEntry, bytes: Uint8Array, offsetInData: number): void
  onEndOfEntry?(entry: TarEntry): void
  /** Every byte that is not a file's data: headers, records, long names, sparse maps, padding, trailer, what follows it. */
  onStructure?(bytes: Uint8Array): void
}

/** What is called while a tar is read, and the bounds of the tar. */
export interface TarScannerOptions extends TarHandlers {
  limits?: Partial<TarLimits>
  /**
   * The pushed stream is only the structure of a tar, as `onStructure` gave it: data is left out. Entries and positions
   * are those of the whole tar; `onData` is not called: between `onEntry` and `onEndOfEntry` of an entry its `dataSize`
   * bytes belong into the tar.
   */
  dataless?: boolean
}

/** Reads a tar as it arrives: entries, their data, and every byte between. */
export interface TarScanner {
  /** Throws INVALID_TAR or LIMIT_EXCEEDED; the scanner must not be used after that. */
  push(chunk: Uint8Array): void
  /** Throws INVALID_TAR when the stream stops inside an entry. Missing end-of-archive blocks are accepted. */
  end(): void
  /** Bytes of the whole tar so far. */
  readonly offset: number
  readonly entries: number
  /** True after the end-of-archive blocks: nothing that follows is parsed. */
  readonly ended: boolean
}

/**
 * A push parser for v7, ustar, GNU and PAX tars. Synchronous, one pass, file data is never copied or inspected.
 *
 * What counts as data is part of the layer format on disk and must never change: the bytes after the header of a
 * regular file (types 0, NUL, 7, S) as counted by its effective size, without the map of a sparse 1.0 file and the
 * padding after that map. Everything else is structure.
 */
export function createTarScanner(options: TarScannerOptions): TarScanner {
  return new Scanner(options)
}

type State = 'header' | 'record' | 'continuation' | 'map' | 'map padding' | 'skip' | 'data' | 'padding' | 'trailer'

const paddingOf = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK

class Scanner implements TarScanner {
  readonly #handlers: TarHandlers
  readonly #limits: TarLimits
  readonly #dataless: boolean
  #state: State = 'header'
  /** Position in the current chunk; before `#told` all structure has been reported. */
  #at = 0
  #told = 0
  #chunk: Buffer = Buffer.alloc(0)
  /** Bytes of the tar before the current chunk, data left out of the stream included. */
  #base = 0
  readonly #block = Buffer.alloc(BLOCK)
  #filled = 0
  #zeroBlocks = 0
  /** Bytes left of the record, data, skipped bytes or padding. */
  #remaining = 0
  #padding = 0
  #record: { typeflag: string; name: string; body: Buffer } | undefined
  #pending: PendingRecords = {}
  #hasPending = false
  #globals: PaxRecord[] = []
  #headerOffset = 0
  #built: BuiltEntry | undefined
  #entry: TarEntry | undefined
  #dataOffset = 0
  #segments: SparseSegment[] = []
  #map: SparseMapReader | undefined
  entries = 0

  constructor({ limits, dataless, ...handlers }: TarScannerOptions) {
    this.#handlers = handlers
    this.#limits = { ...defaultTarLimits, ...limits }
    this.#dataless = dataless ?? false
  }

  get offset(): number {
    return this.#base + this.#at
  }

  get ended(): boolean {
    return this.#state === 'trailer'
  }

  push(chunk: Uint8Array): void {
    this.#chunk = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#at = 0
    this.#told = 0
    while (this.#at < this.#chunk.length) this.#step()
    this.#tellStructure()
    this.#base += this.#chunk.length
    this.#at = 0
    this.#told = 0
  }

  end(): void {
    const cut = this.#filled > 0 || this.#hasPending || !['header', 'padding', 'trailer'].includes(this.#state)
    if (!cut) return
    const name = this.#entry?.name ?? this.#built?.entry.name ?? this.#record?.name
    throw tarError(`the archive ends in the middle of ${name === undefined ? 'a header' : 'it'}`, name)
  }

  #step(): void {
    switch (this.#state) {
      case 'data':
        this.#takeData()
        return
      case 'header':
      case 'continuation':
        this.#takeBlock()
        return
      case 'padding':
        this.#remaining -= this.#take(this.#remaining)
        if (this.#remaining === 0) this.#state = 'header'
        return
      case 'record':
        this.#takeRecord()
        return
      case 'skip':
        this.#remaining -= this.#take(this.#remaining)
        if (this.#remaining === 0) this.#endOfEntry()
        return
      case 'map':
        this.#takeMap()
        return
      case 'map padding':
        this.#remaining -= this.#take(this.#remaining)
        if (this.#remaining === 0) this.#useSparse(this.#segments)
        return
      case 'trailer':
        this.#at = this.#chunk.length
    }
  }

  /** Advances over at most `most` bytes; answers how many. */
  #take(most: number): number {
    const count = Math.min(most, this.#chunk.length - this.#at)
    this.#at += count
    return count
  }

  #tellStructure(): void {
    if (this.#at > this.#told) this.#handlers.onStructure?.(this.#chunk.subarray(this.#told, this.#at))
    this.#told = this.#at
  }

  #takeBlock(): void {
    const start = this.#at
    if (this.#filled === 0 && this.#chunk.length - start >= BLOCK) {
      this.#at += BLOCK
      this.#useBlock(this.#chunk, start)
      return
    }
    const count = this.#take(BLOCK - this.#filled)
    this.#chunk.copy(this.#block, this.#filled, start, start + count)
    this.#filled += count
    if (this.#filled < BLOCK) return
    this.#filled = 0
    this.#useBlock(this.#block, 0)
  }

  #useBlock(block: Buffer, offset: number): void {
    if (this.#state === 'continuation') {
      this.#useContinuation(block, offset)
      return
    }
    if (block[offset] === 0 && isZeroBlock(block, offset)) {
      if (this.#hasPending) throw tarError('the archive ends after a header record, without the entry it belongs to')
      if (++this.#zeroBlocks === 2) this.#state = 'trailer'
      return
    }
    if (this.#zeroBlocks > 0) throw tarError('there is a block of zeros between two entries')
    if (!this.#hasPending) this.#headerOffset = this.offset - BLOCK
    const header = readHeader(block, offset)
    if ('xgLK'.includes(header.typeflag)) this.#beginRecord(header)
    else if (header.typeflag === 'V') this.#skipLabel(header)
    else this.#beginEntry(header, block, offset)
  }

  #beginRecord({ typeflag, size, name }: TarHeader): void {
    const what = typeflag === 'x' || typeflag === 'g' ? 'PAX record block' : 'long name'
    if (size < 0 || size > this.#limits.headerBytes)
      throw tarError(`a ${what} of ${size} bytes; at most ${this.#limits.headerBytes} are accepted`, name)
    const { pax, longName, longLink } = this.#pending
    if (
      (typeflag === 'x' && pax) ||
      (typeflag === 'L' && longName !== undefined) ||
      (typeflag === 'K' && longLink !== undefined)
    )
      throw tarError(`a second ${what} for one entry`, name)
    this.#record = { typeflag, name, body: Buffer.allocUnsafe(size) }
    this.#remaining = size
    this.#padding = paddingOf(size)
    this.#hasPending = true
    this.#state = 'record'
    if (size === 0) this.#endRecord()
  }

  #takeRecord(): void {
    const { body } = this.#record!
    const start = this.#at
    const count = this.#take(this.#remaining)
    this.#chunk.copy(body, body.length - this.#remaining, start, start + count)
    this.#remaining -= count
    if (this.#remaining === 0) this.#endRecord()
  }

  #endRecord(): void {
    const { typeflag, name, body } = this.#record!
    if (typeflag === 'x') this.#pending.pax = parsePax(body, name)
    else if (typeflag === 'L') this.#pending.longName = readText(body, 0, body.length)
    else if (typeflag === 'K') this.#pending.longLink = readText(body, 0, body.length)
    else this.#useGlobals(parsePax(body, name), name)
    this.#record = undefined
    this.#pad()
  }

  /** Global records may set owners, times and attributes, but not what an entry is or where it ends (T16). */
  #useGlobals(records: PaxRecord[], name: string): void {
    for (const { key, value } of records) {
      if (['path', 'linkpath', 'size'].includes(key) || key.startsWith('GNU.sparse.'))
        throw tarError(`a global PAX header sets ${key} for all entries`, name)
      this.#globals = this.#globals.filter((known) => known.key !== key)
      if (value.length > 0) this.#globals.push({ key, value })
    }
    const { pax, longName, longLink } = this.#pending
    this.#hasPending = pax !== undefined || longName !== undefined || longLink !== undefined
  }

  /** GNU's volume label names the archive; it is no file. */
  #skipLabel({ size, name }: TarHeader): void {
    if (size < 0 || size > this.#limits.headerBytes) throw tarError('a volume label with data', name)
    this.#forgetPending()
    this.#remaining = size + paddingOf(size)
    this.#state = this.#remaining > 0 ? 'padding' : 'header'
  }

  #beginEntry(header: TarHeader, block: Buffer, offset: number): void {
    if (++this.entries > this.#limits.entries)
      throw new BaleError('LIMIT_EXCEEDED', `the tar has more than ${this.#limits.entries} entries`)
    const built = buildEntry(header, this.#pending, this.#globals, this.#limits)
    this.#built = built
    this.#forgetPending()
    if (header.typeflag === 'S') this.#beginOldSparse(built.entry, block, offset)
    else if (built.body === 'map') {
      this.#map = new SparseMapReader(this.#limits.sparseSegments, built.entry.name)
      this.#remaining = built.storedSize
      this.#state = 'map'
      if (built.storedSize === 0) throw tarError('is sparse 1.0 but has no map', built.entry.name)
    } else {
      const { entry } = built
      if (entry.sparse) checkSparse(entry.sparse, entry.size, entry.dataSize, entry.name)
      this.#tellEntry()
    }
  }

  #beginOldSparse(entry: TarEntry, block: Buffer, offset: number): void {
    if (block[offset + 262] !== 0x20) throw tarError('is of the sparse type, but not in GNU format', entry.name)
    entry.size = readNumber(block, offset + 483, 12, 'real size', entry.name)
    checkSize(entry, this.#limits)
    this.#segments = []
    readOldSparse(block, offset + 386, 4, this.#segments, entry.name)
    this.#continueOldSparse(block[offset + 482] !== 0)
  }

  #useContinuation(block: Buffer, offset: number): void {
    const { name } = this.#built!.entry
    readOldSparse(block, offset, 21, this.#segments, name)
    if (this.#segments.length > this.#limits.sparseSegments)
      throw tarError(`the sparse map has more than ${this.#limits.sparseSegments} segments`, name)
    this.#continueOldSparse(block[offset + 504] !== 0)
  }

  #continueOldSparse(more: boolean): void {
    this.#state = 'continuation'
    if (!more) this.#useSparse(this.#segments)
  }

  #takeMap(): void {
    const map = this.#map!
    const { storedSize, entry } = this.#built!
    this.#at = map.push(this.#chunk, this.#at, Math.min(this.#chunk.length, this.#at + storedSize - map.taken))
    if (map.done) {
      const padding = paddingOf(map.taken)
      entry.dataSize = storedSize - map.taken - padding
      if (entry.dataSize < 0) throw tarError('the sparse map is longer than the entry', entry.name)
      this.#map = undefined
      this.#segments = map.segments()
      this.#remaining = padding
      if (padding === 0) this.#useSparse(this.#segments)
      else this.#state = 'map padding'
    } else if (map.taken === storedSize) throw tarError('the sparse map is longer than the entry', entry.name)
  }

  #useSparse(segments: SparseSegment[]): void {
    const { entry } = this.#built!
    checkSparse(segments, entry.size, entry.dataSize, entry.name)
    entry.sparse = segments
    this.#segments = []
    this.#tellEntry()
  }

  #tellEntry(): void {
    const { entry, body, storedSize } = this.#built!
    this.#built = undefined
    this.#entry = entry
    this.#tellStructure()
    this.#handlers.onEntry?.(entry, { header: this.#headerOffset, data: this.offset })
    this.#dataOffset = 0
    this.#remaining = entry.dataSize
    this.#padding = paddingOf(entry.dataSize)
    if (body === 'skip') {
      this.#remaining = storedSize
      this.#padding = paddingOf(storedSize)
      this.#state = 'skip'
    } else if (this.#dataless || entry.dataSize === 0) {
      this.#base += entry.dataSize
      this.#endOfEntry()
    } else this.#state = 'data'
  }

  #takeData(): void {
    const start = this.#at
    const count = this.#take(this.#remaining)
    const bytes = start === 0 && count === this.#chunk.length ? this.#chunk : this.#chunk.subarray(start, this.#at)
    this.#told = this.#at
    this.#remaining -= count
    const offset = this.#dataOffset
    this.#dataOffset += count
    this.#handlers.onData?.(this.#entry!, bytes, offset)
    if (this.#remaining === 0) this.#endOfEntry()
  }

  #endOfEntry(): void {
    const entry = this.#entry!
    this.#entry = undefined
    this.#handlers.onEndOfEntry?.(entry)
    this.#pad()
  }

  #pad(): void {
    this.#remaining = this.#padding
    this.#state = this.#padding > 0 ? 'padding' : 'header'
  }

  #forgetPending(): void {
    if (this.#hasPending) this.#pending = {}
    this.#hasPending = false
  }
}
