import { BaleError } from '#base'
import type { TarEntry } from './entry.ts'
import { BLOCK } from './header.ts'
import { type PaxText, paxRecord } from './pax.ts'
import { checkSparse } from './sparse.ts'
import { quoted } from './tar-error.ts'
import { OCTAL_7, OCTAL_11, putUstarBlock, splitName, type UstarFields } from './ustar-block.ts'

/**
 * What the writer needs of an entry. Omitted members are 0 or empty; an omitted `mode` is 0755 for a directory, 0777 for a symlink,
 * 0644 for everything else. A file with `sparse` is written with its holes (GNU sparse 1.0, which GNU tar, Go and Python read): its
 * data is the bytes of these extents.
 */
export type NewTarEntry = Pick<TarEntry, 'name' | 'type'> &
  Partial<Omit<TarEntry, 'dataSize' | 'xattrs'>> & { xattrs?: ReadonlyMap<string, Uint8Array> }

/** How many bytes of data follow the header of an entry. */
export function storedSize({ type, size = 0, sparse }: NewTarEntry): number {
  if (type !== 'file') return 0
  return sparse ? sparse.reduce((sum, { length }) => sum + length, 0) : size
}

const TYPEFLAGS: Record<TarEntry['type'], string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

/**
 * The header of an entry: one ustar block, and in front of it a PAX record block only when something does not fit (long
 * or non-ASCII UTF-8 names, big or negative numbers, fractions of a second, extended attributes). A pure function of the
 * entry. A directory's name gets its slash. Throws INVALID_ARGUMENT for entries no tar can represent.
 */
export function tarHeader(entry: NewTarEntry): Uint8Array {
  const name = entry.type === 'directory' && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name
  const fields = { ...entry, name, size: entry.type === 'file' ? (entry.size ?? 0) : 0 }
  check(fields)
  if (fields.sparse && fields.type === 'file') return sparseHeader({ ...fields, sparse: fields.sparse })
  return blocks(name, paxRecords(fields), fields, TYPEFLAGS[entry.type])
}

/**
 * Header and map of a file with holes. The map precedes the data and counts as data for readers that do not know
 * the format; the name says what the file is.
 */
function sparseHeader(entry: NewTarEntry & { size: number; sparse: NonNullable<NewTarEntry['sparse']> }): Buffer {
  const { name, size, sparse } = entry
  checkSparse(sparse, size, storedSize(entry), name)
  const end = sparse.reduce((last, { offset, length }) => Math.max(last, offset + length), 0)
  // As GNU tar does: a hole at the end is recorded as an extent of length zero.
  const extents = end < size ? [...sparse, { offset: size, length: 0 }] : sparse
  const numbers = [extents.length, ...extents.flatMap(({ offset, length }) => [offset, length])]
  const text = Buffer.from(numbers.map((number) => `${number}\n`).join(''), 'latin1')
  const map = Buffer.concat([text, tarPadding(text.length)])
  const fields = { ...entry, name: 'GNUSparseFile.0', size: map.length + storedSize(entry) }
  const own: [string, string][] = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', name],
    ['GNU.sparse.realsize', String(size)],
  ]
  return Buffer.concat([blocks(name, paxRecords(fields, own), fields, '0'), map])
}

/** A header block, after a PAX member where there are records. In one buffer: there is a header for every file. */
function blocks(name: string, records: readonly PaxText[], fields: UstarFields, typeflag: string): Buffer {
  if (records.length === 0) {
    const block = Buffer.allocUnsafe(BLOCK)
    putUstarBlock(block, 0, fields, typeflag)
    return block
  }
  const length = records.reduce((sum, record) => sum + record.length, 0)
  const end = BLOCK + length + paddingOf(length)
  const bytes = Buffer.allocUnsafe(end + BLOCK)
  putUstarBlock(bytes, 0, { name: paxName(name), type: 'file', mode: 0o644, size: length }, 'x')
  let at = BLOCK
  for (const record of records) {
    if (typeof record === 'string') bytes.write(record, at, 'latin1')
    else bytes.set(record, at)
    at += record.length
  }
  bytes.fill(0, at, end)
  putUstarBlock(bytes, end, fields, typeflag)
  return bytes
}

const ZEROS = Buffer.alloc(2 * BLOCK)

/** The zeros after `size` bytes of data. */
export function tarPadding(size: number): Uint8Array {
  return ZEROS.subarray(0, paddingOf(size))
}

const paddingOf = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK

/** Two blocks of zeros: the end of an archive. */
export function tarTrailer(): Uint8Array {
  return ZEROS
}

function check(entry: NewTarEntry & { size: number }): void {
  const refuse = (what: string) => {
    throw new BaleError('INVALID_ARGUMENT', `tar entry ${quoted(entry.name)} cannot be written: ${what}`)
  }
  if (entry.name === '' || /[\0\u0100-\uffff]/.test(entry.name)) refuse('its name is empty or not a byte string')
  if (/[\0\u0100-\uffff]/.test(entry.linkName ?? '')) refuse('its link name is not a byte string')
  if ((entry.type === 'symlink' || entry.type === 'hardlink') && !entry.linkName)
    refuse('it is a link without a target')
  for (const key of ['uid', 'gid', 'size', 'deviceMajor', 'deviceMinor'] as const)
    if (!Number.isSafeInteger(entry[key] ?? 0) || (entry[key] ?? 0) < 0) refuse(`${key} is ${entry[key]}`)
  if (!Number.isSafeInteger(entry.mtime ?? 0)) refuse(`mtime is ${entry.mtime}`)
  const nanoseconds = entry.mtimeNanoseconds ?? 0
  if (!Number.isInteger(nanoseconds) || nanoseconds < 0 || nanoseconds > 999_999_999)
    refuse(`mtimeNanoseconds is ${nanoseconds}`)
  for (const key of entry.xattrs?.keys() ?? [])
    if (key === '' || /[=\0\u0100-\uffff]/.test(key)) refuse(`it has an extended attribute named ${quoted(key)}`)
}

/** Sorted by key, so that `hdrcharset` precedes the names it applies to. */
function paxRecords(entry: NewTarEntry & { size: number }, own: readonly [string, string][] = []): PaxText[] {
  const records: [string, string | Uint8Array][] = [...own]
  const texts = [
    ['path', entry.name, splitName(entry.name) !== undefined],
    ['linkpath', entry.linkName ?? '', (entry.linkName ?? '').length <= 100],
    ['uname', entry.userName ?? '', (entry.userName ?? '').length <= 32],
    ['gname', entry.groupName ?? '', (entry.groupName ?? '').length <= 32],
  ] as const
  let binary = own.some(([, text]) => charset(text) === 'bytes')
  for (const [key, text, fits] of texts) {
    const kind = charset(text)
    if (fits && kind !== 'utf8') continue
    binary ||= kind === 'bytes'
    records.push([key, text])
  }
  // PAX texts are UTF-8 unless this record says otherwise.
  if (binary) records.push(['hdrcharset', 'BINARY'])
  if ((entry.uid ?? 0) > OCTAL_7) records.push(['uid', String(entry.uid)])
  if ((entry.gid ?? 0) > OCTAL_7) records.push(['gid', String(entry.gid)])
  if (entry.size > OCTAL_11) records.push(['size', String(entry.size)])
  const mtime = entry.mtime ?? 0
  if (mtime < 0 || mtime > OCTAL_11 || entry.mtimeNanoseconds)
    records.push(['mtime', paxTimeText(mtime, entry.mtimeNanoseconds ?? 0)])
  for (const [key, value] of entry.xattrs ?? []) records.push([`SCHILY.xattr.${key}`, value])
  return records.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => paxRecord(key, value))
}

function charset(latin1: string): 'ascii' | 'utf8' | 'bytes' {
  if (/^[\x00-\x7f]*$/.test(latin1)) return 'ascii'
  return Buffer.from(latin1, 'latin1').toString('utf8').includes('\ufffd') ? 'bytes' : 'utf8'
}

function paxTimeText(seconds: number, nanoseconds: number): string {
  const negative = seconds < 0
  const whole = negative && nanoseconds > 0 ? -(seconds + 1) : Math.abs(seconds)
  const fraction = negative && nanoseconds > 0 ? 1e9 - nanoseconds : nanoseconds
  const decimals = fraction === 0 ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${negative ? '-' : ''}${whole}${decimals}`
}

function paxName(name: string): string {
  const base = name.replace(/\/+$/, '').split('/').at(-1)!
  return `PaxHeaders.0/${base.replace(/[^\x20-\x7e]/g, '_')}`.slice(0, 100)
}
