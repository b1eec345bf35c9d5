import { BaleError } from '#base'
import type { TarEntry } from './entry.ts'
import { BLOCK } from './header.ts'
import { paxRecord } from './pax.ts'
import { checkSparse } from './sparse.ts'
import { quoted } from './tar-error.ts'

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

/** Largest numbers of 7 and of 11 octal digits. */
const OCTAL_7 = 0o7777777
const OCTAL_11 = 0o77777777777

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
  const records = paxRecords(fields)
  const header = ustarBlock(fields, TYPEFLAGS[entry.type])
  if (records.length === 0) return header
  return Buffer.concat([paxMember(name, records), header])
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
  const records = paxRecords(fields, own)
  return Buffer.concat([paxMember(name, records), ustarBlock(fields, '0'), map])
}

function paxMember(name: string, records: readonly Buffer[]): Buffer {
  const body = Buffer.concat(records)
  const member = ustarBlock({ name: paxName(name), type: 'file', mode: 0o644, size: body.length }, 'x')
  return Buffer.concat([member, body, tarPadding(body.length)])
}

const ZEROS = Buffer.alloc(2 * BLOCK)

/** The zeros after `size` bytes of data. */
export function tarPadding(size: number): Uint8Array {
  return ZEROS.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK)
}

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
function paxRecords(entry: NewTarEntry & { size: number }, own: readonly [string, string][] = []): Buffer[] {
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

/** Name and prefix of a ustar header, or undefined when the name needs a PAX record. */
function splitName(name: string): [name: string, prefix: string] | undefined {
  if (name.length <= 100) return [name, '']
  if (name.length > 256) return undefined
  // The earliest slash that leaves at most 100 bytes behind it makes the shortest prefix.
  const slash = name.indexOf('/', name.length - 101)
  if (slash <= 0 || slash > 155 || slash === name.length - 1) return undefined
  return [name.slice(slash + 1), name.slice(0, slash)]
}

function paxName(name: string): string {
  const base = name.replace(/\/+$/, '').split('/').at(-1)!
  return `PaxHeaders.0/${base.replace(/[^\x20-\x7e]/g, '_')}`.slice(0, 100)
}

function ustarBlock(entry: NewTarEntry, typeflag: string): Buffer {
  // From the pool: memory of its own takes longer than the header.
  const block = Buffer.allocUnsafe(BLOCK).fill(0)
  const [name, prefix] = splitName(entry.name) ?? [entry.name.slice(0, 100), '']
  const text = (value: string, offset: number, length: number) => block.write(value.slice(0, length), offset, 'latin1')
  const octal = (value: number, offset: number, digits: number) =>
    block.write((value >= 0 && value < 8 ** digits ? value : 0).toString(8).padStart(digits, '0'), offset, 'latin1')
  text(name, 0, 100)
  octal(entry.mode === undefined ? defaultMode(entry.type) : entry.mode & 0o7777, 100, 7)
  octal(entry.uid ?? 0, 108, 7)
  octal(entry.gid ?? 0, 116, 7)
  octal(entry.size ?? 0, 124, 11)
  octal(entry.mtime ?? 0, 136, 11)
  text(typeflag, 156, 1)
  text(entry.linkName ?? '', 157, 100)
  text('ustar\x0000', 257, 8)
  text(entry.userName ?? '', 265, 32)
  text(entry.groupName ?? '', 297, 32)
  octal(entry.deviceMajor ?? 0, 329, 7)
  octal(entry.deviceMinor ?? 0, 337, 7)
  text(prefix, 345, 155)
  block.fill(0x20, 148, 156)
  let sum = 0
  for (let index = 0; index < BLOCK; index++) sum += block[index]!
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

function defaultMode(type: TarEntry['type']): number {
  return type === 'directory' ? 0o755 : type === 'symlink' ? 0o777 : 0o644
}
