import { parseDeb, type SourceRecord, type SourceRecords } from './packages-index.ts'

/** Where the source packages of one suite were read from, and when. Times are milliseconds since 1970. */
export interface IndexOrigin {
  readonly uri: string
  /** Codename of the suite: `bookworm-security`. */
  readonly suite: string
  /** Those that it has. */
  readonly components: readonly string[]
  /** When the archive made it. */
  readonly date: number
  readonly validUntil?: number
  /** When a mirror last said so. */
  readonly fetched: number
  /** Fingerprint of the key; undefined for what nobody signed. */
  readonly signedBy?: string
  /** SHA-256 of the Packages files, in hex, sorted. */
  readonly files: readonly string[]
}

/** The source packages of a suite. Nothing of them is parsed before it is asked for. */
export interface SourceIndex {
  readonly origin: IndexOrigin
  /** Number of source packages. */
  readonly size: number
  get(source: string): SourceRecord | undefined
  /** The same packages, of which a mirror said something newer. */
  withOrigin(origin: IndexOrigin): SourceIndex
  /** As it is kept in a file. */
  encode(): Uint8Array
}

const FORMAT = 1
const NEWLINE = 0x0a

/** Puts records into the form that is kept: one source a line, sorted. */
export function createIndex(origin: IndexOrigin, records: SourceRecords): SourceIndex {
  const lines = [...records.keys()].sort().map((source) => {
    const { version, debs } = records.get(source)!
    return [source, version, ...debs.map(({ text }) => text)].join('\t')
  })
  return indexOf(origin, Buffer.from(`${lines.join('\n')}\n`, 'latin1'), lines.length)
}

/** Reads what `encode` wrote; undefined for anything else, such as a file of another version or one that was cut. */
export function decodeIndex(file: Buffer): SourceIndex | undefined {
  const end = file.indexOf(NEWLINE)
  try {
    const { format, bytes, size, ...origin } = JSON.parse(file.toString('utf8', 0, Math.max(0, end)))
    const lines = file.subarray(end + 1)
    return format === FORMAT && bytes === lines.length ? indexOf(origin, lines, size) : undefined
  } catch {
    return undefined
  }
}

function indexOf(origin: IndexOrigin, lines: Buffer, size: number): SourceIndex {
  return {
    origin,
    size,
    get: (source) => decodeRecord(findLine(lines, source)),
    withOrigin: (newer) => indexOf(newer, lines, size),
    encode: () =>
      Buffer.concat([
        Buffer.from(`${JSON.stringify({ format: FORMAT, bytes: lines.length, size, ...origin })}\n`),
        lines,
      ]),
  }
}

/** The line that begins with the name and a tab, by halving. */
function findLine(lines: Buffer, source: string): string | undefined {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const start = middle === 0 ? 0 : lines.lastIndexOf(NEWLINE, middle - 1) + 1
    const end = lines.indexOf(NEWLINE, start)
    const line = lines.toString('latin1', start, end)
    const name = nameOf(line)
    if (name === source) return line
    if (name < source) low = end + 1
    else high = start
  }
  return undefined
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf('\t'))
}

function decodeRecord(line: string | undefined): SourceRecord | undefined {
  const [, version, ...debs] = line?.split('\t') ?? []
  return version === undefined ? undefined : { version, debs: debs.map(parseDeb) }
}
