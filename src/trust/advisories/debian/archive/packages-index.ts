import { BaleError } from '#base'
import { isNewer } from './newer.ts'

/** A binary package in an archive. */
export interface DebFile {
  /** Relative to the URI of the archive: `pool/main/x/xz-utils/xzdec_5.4.1-1_amd64.deb`. */
  readonly path: string
  readonly size: number
  /** In hex. */
  readonly sha256: string
}

/** The newest version of a source package in an index, and a few of the smallest binary packages built from it. */
export interface SourceRecord {
  readonly version: string
  readonly debs: readonly DebFile[]
}

/** What an index says of source packages, by name, while it is read. */
export type SourceRecords = Map<string, { version: string; debs: ReadDeb[] }>

/** `text` is the file as one string, which takes a third of the memory: path, size and digest with spaces between. */
interface ReadDeb {
  readonly size: number
  readonly text: string
}

/** Binary packages that are kept of a source: the documentation of some is a link into that of another. */
const DEBS_KEPT = 3

/** Bytes of a paragraph; the longest of Debian has 30 000. */
const LONGEST = 4 << 20

/** Paragraphs of an index; those of Debian have 70 000. */
const MOST = 1_000_000

/**
 * Reads an index of binary packages as it comes and adds the source packages that they were built from. Paragraphs
 * without one of the fields, or with values that no archive of Debian has, are passed over. The whole is never made a
 * string: that would cost three times the time and memory. Source: DebianRepository/Format, "Packages" indices.
 */
export async function readPackages(text: AsyncIterable<Uint8Array>, records: SourceRecords): Promise<void> {
  let rest = Buffer.from('\n')
  let count = 0
  for await (const { buffer, byteOffset, byteLength } of text) {
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    const first = endOfParagraph(rest, bytes)
    const last = first === undefined ? 0 : Math.max(first, bytes.lastIndexOf(BLANK_LINE) + 1)
    // Only the paragraph that began in an earlier piece is put together; the others are read where they are.
    if (first !== undefined) count += addParagraphs(records, Buffer.concat([rest, bytes.subarray(0, first)]))
    count += addParagraphs(records, bytes.subarray(first ?? 0, last))
    rest = first === undefined ? Buffer.concat([rest, bytes]) : Buffer.from(bytes.subarray(last))
    if (rest.length > LONGEST) throw tooLarge(`one package of more than ${LONGEST} bytes`)
    if (count > MOST) throw tooLarge(`more than ${MOST} packages`)
  }
  addParagraphs(records, Buffer.concat([rest, Buffer.from('\n')]))
}

/** Where in the next piece the paragraph ends that began in the rest of those before: at the second newline in a row. */
function endOfParagraph(rest: Buffer, bytes: Buffer): number | undefined {
  if (rest.at(-1) === NEWLINE && bytes[0] === NEWLINE) return 0
  const blank = bytes.indexOf(BLANK_LINE)
  return blank < 0 ? undefined : blank + 1
}

function tooLarge(what: string): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `a list of packages has ${what}`)
}

const BLANK_LINE = Buffer.from('\n\n')
const NEWLINE = 0x0a

/**
 * Each paragraph is taken with the newline before it, so that every field begins with one. Answers how many there
 * were.
 */
function addParagraphs(records: SourceRecords, bytes: Buffer): number {
  let count = 0
  for (let start = 0; start < bytes.length; count++) {
    const blank = bytes.indexOf(BLANK_LINE, start)
    const end = blank < 0 ? bytes.length : blank + 1
    addParagraph(records, bytes.subarray(start, end))
    start = end
  }
  return count
}

function addParagraph(records: SourceRecords, paragraph: Buffer): void {
  const found = builtFrom(paragraph)
  if (!found) return
  const known = records.get(found.source)
  if (known?.version === found.version) addDeb(known.debs, paragraph)
  else if (!known || isNewer(found.version, known.version)) {
    const debs: ReadDeb[] = []
    addDeb(debs, paragraph)
    records.set(found.source, { version: found.version, debs })
  }
}

/**
 * `Source: glibc`, or `Source: glibc (2.36-9)` when the binary package has another version; the package itself
 * without it.
 */
function builtFrom(paragraph: Buffer): { source: string; version: string } | undefined {
  const built = fieldOf(paragraph, FIELDS.source)
  const bracket = built?.indexOf(' (') ?? -1
  const source = bracket < 0 ? (built ?? fieldOf(paragraph, FIELDS.package)) : built!.slice(0, bracket)
  const version = bracket < 0 ? fieldOf(paragraph, FIELDS.version) : built!.slice(bracket + 2, -1)
  return source && version && isSourceName(source) && isSourceVersion(version) ? { source, version } : undefined
}

/** Source: Debian Policy, section 5.6.1. */
function isSourceName(text: string): boolean {
  return /^[a-z0-9][a-z0-9+.-]{1,99}$/.test(text)
}

/** Source: Debian Policy, section 5.6.12. */
function isSourceVersion(text: string): boolean {
  return /^[0-9][0-9A-Za-z.+~:-]{0,99}$/.test(text)
}

/** Adds the package when it is one of the smallest. */
function addDeb(debs: ReadDeb[], paragraph: Buffer): void {
  const size = fieldOf(paragraph, FIELDS.size) ?? ''
  if (!/^\d{1,12}$/.test(size) || (debs.length === DEBS_KEPT && Number(size) > debs.at(-1)!.size)) return
  const path = fieldOf(paragraph, FIELDS.filename) ?? ''
  const sha256 = fieldOf(paragraph, FIELDS.sha256) ?? ''
  if (!isPoolPath(path) || !/^[0-9a-f]{64}$/.test(sha256)) return
  debs.push({ size: Number(size), text: [path, size, sha256].join(' ') })
  if (debs.length > 1) debs.sort(smallestFirst)
  if (debs.length > DEBS_KEPT) debs.pop()
}

function smallestFirst(a: ReadDeb, b: ReadDeb): number {
  return a.size - b.size || (a.text < b.text ? -1 : 1)
}

/** Relative, and without parts that lead upwards. */
function isPoolPath(path: string): boolean {
  return path.length <= 512 && /^[A-Za-z0-9+._~%:/-]+$/.test(path) && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)
}

/** A file of an index as it was read. */
export function parseDeb(text: string): DebFile {
  const [path = '', size = '', sha256 = ''] = text.split(' ')
  return { path, size: Number(size), sha256 }
}

const FIELDS = {
  package: Buffer.from('\nPackage: '),
  source: Buffer.from('\nSource: '),
  version: Buffer.from('\nVersion: '),
  size: Buffer.from('\nSize: '),
  filename: Buffer.from('\nFilename: '),
  sha256: Buffer.from('\nSHA256: '),
}

function fieldOf(paragraph: Buffer, label: Buffer): string | undefined {
  const at = paragraph.indexOf(label)
  if (at < 0) return undefined
  const start = at + label.length
  return paragraph.toString('latin1', start, paragraph.indexOf(NEWLINE, start)).trim()
}
