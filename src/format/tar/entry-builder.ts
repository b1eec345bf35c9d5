import { table } from '#base'
import type { TarEntry } from './entry.ts'
import type { TarHeader } from './header.ts'
import type { TarLimits } from './limits.ts'
import { type PaxRecord, paxInteger, paxText, paxTime } from './pax.ts'
import { pairs, type SparseSegment } from './sparse.ts'
import { tarError } from './tar-error.ts'

/** The records before a header that apply to it. */
export interface PendingRecords {
  pax?: PaxRecord[]
  longName?: string
  longLink?: string
}

/** How to read the bytes after the header. */
export interface BuiltEntry {
  entry: TarEntry
  /** `map`: a sparse 1.0 map precedes the data. `skip`: the bytes are structure, not a file's data (type D). */
  body: 'data' | 'map' | 'skip'
  /** Bytes after the header, without padding. */
  storedSize: number
}

const TYPES = table<TarEntry['type']>({
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  D: 'directory',
  '6': 'fifo',
})

/**
 * Joins a header with the records that apply to it: PAX wins over the header, a local record over a global one (T16).
 * Throws INVALID_TAR for types that no image has, and where two readers would see two different things.
 */
export function buildEntry(
  header: TarHeader,
  pending: PendingRecords,
  globals: readonly PaxRecord[],
  limits: TarLimits,
): BuiltEntry {
  let type = TYPES[header.typeflag]
  const entry: TarEntry = {
    name: pending.longName ?? header.name,
    type: type ?? 'file',
    mode: 0,
    uid: header.uid,
    gid: header.gid,
    mtime: header.mtime,
    mtimeNanoseconds: 0,
    size: header.size,
    dataSize: 0,
    linkName: pending.longLink ?? header.linkName,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    userName: header.userName,
    groupName: header.groupName,
  }
  const sparse = new SparseRecords()
  if (globals.length > 0) applyRecords(entry, globals, sparse)
  if (pending.pax) {
    if (pending.longName !== undefined && pending.pax.some(({ key }) => key === 'path'))
      throw tarError('has both a GNU long name and a PAX path', entry.name)
    applyRecords(entry, pending.pax, sparse)
  }
  if (type === undefined) throw tarError(`unknown type ${JSON.stringify(header.typeflag)}`, entry.name)
  // Tars from before POSIX mark a directory by its slash only.
  if (header.typeflag === '\0' && entry.name.endsWith('/')) type = 'directory'
  entry.type = type
  return finishEntry(entry, header, sparse, limits)
}

function finishEntry(entry: TarEntry, header: TarHeader, sparse: SparseRecords, limits: TarLimits): BuiltEntry {
  const { name, type } = entry
  // Some writers put the file type's bits here as well, or a negative number, of which Go takes the low bits.
  entry.mode = (((header.mode % 0o10000) + 0o10000) % 0o10000) & 0o7777
  checkId(entry.uid, 'user', name)
  checkId(entry.gid, 'group', name)
  if (!Number.isSafeInteger(entry.mtime)) throw tarError('has a time beyond 2^53', name)
  if (entry.size < 0) throw tarError('has a negative size', name)
  if (type === 'character' || type === 'block') setDevice(entry, header)
  if (type !== 'hardlink' && type !== 'symlink') entry.linkName = ''
  if (type !== 'file') {
    // No data follows these whatever the size says (as Go, docker and GNU tar read them); a dump directory's list does.
    const storedSize = header.typeflag === 'D' ? entry.size : 0
    entry.size = 0
    return { entry, body: storedSize > 0 ? 'skip' : 'data', storedSize }
  }
  const storedSize = entry.size
  entry.dataSize = storedSize
  const body = header.typeflag === 'S' ? 'data' : sparse.apply(entry, limits)
  checkSize(entry, limits)
  return { entry, body, storedSize }
}

export function checkSize(entry: TarEntry, limits: TarLimits): void {
  if (entry.size > limits.apparentSize || entry.size < 0)
    throw tarError(`claims a size of ${entry.size} bytes; at most ${limits.apparentSize} are accepted`, entry.name)
}

/** 2^32-1 means "no change" to chown(2), so it is not an owner (T17). */
function checkId(id: number, kind: string, name: string): void {
  if (!(id >= 0 && id < 0xffffffff)) throw tarError(`has the ${kind} id ${id}, which is not between 0 and 2^32-2`, name)
}

/** Linux device numbers: 12 bits major, 20 bits minor. */
function setDevice(entry: TarEntry, { deviceMajor, deviceMinor }: TarHeader): void {
  if (!(deviceMajor >= 0 && deviceMajor < 2 ** 12 && deviceMinor >= 0 && deviceMinor < 2 ** 20))
    throw tarError(`has the device number ${deviceMajor}:${deviceMinor}, which Linux does not have`, entry.name)
  entry.deviceMajor = deviceMajor
  entry.deviceMinor = deviceMinor
}

const SCHILY = 'SCHILY.xattr.'
const LIBARCHIVE = 'LIBARCHIVE.xattr.'

function applyRecords(entry: TarEntry, records: readonly PaxRecord[], sparse: SparseRecords): void {
  const where = entry.name
  const plain = new Set<string>()
  for (const { key, value } of records) {
    if (key.startsWith(SCHILY)) {
      const name = xattrName(key.slice(SCHILY.length), where)
      entry.xattrs.set(name, value)
      plain.add(name)
    } else if (key.startsWith(LIBARCHIVE)) {
      // bsdtar writes both forms; the plain one needs no decoding and wins.
      const name = xattrName(percentDecoded(key.slice(LIBARCHIVE.length), where), where)
      if (!plain.has(name)) entry.xattrs.set(name, base64Decoded(value, where))
    } else if (key.startsWith('GNU.sparse.')) sparse.add(key.slice(11), value, where)
    // An empty value cancels the record (POSIX): the header's own value applies.
    else if (value.length > 0) applyRecord(entry, key, value, where)
  }
}

function applyRecord(entry: TarEntry, key: string, value: Buffer, where: string): void {
  switch (key) {
    case 'path':
      entry.name = paxText(value, key, where)
      break
    case 'linkpath':
      entry.linkName = paxText(value, key, where)
      break
    case 'size':
      entry.size = paxInteger(value, key, where)
      break
    case 'uid':
      entry.uid = paxInteger(value, key, where)
      break
    case 'gid':
      entry.gid = paxInteger(value, key, where)
      break
    case 'mtime': {
      const time = paxTime(value, key, where)
      entry.mtime = time.seconds
      entry.mtimeNanoseconds = time.nanoseconds
      break
    }
    case 'uname':
      entry.userName = paxText(value, key, where)
      break
    case 'gname':
      entry.groupName = paxText(value, key, where)
      break
  }
}

function xattrName(name: string, where: string): string {
  if (name === '') throw tarError('has an extended attribute without a name', where)
  return name
}

function percentDecoded(text: string, where: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text) || text.includes('%00'))
    throw tarError('has an extended attribute name that is not well encoded', where)
  return text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function base64Decoded(value: Buffer, where: string): Buffer {
  const text = value.toString('latin1', 0, value.length)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw tarError('has an extended attribute that is not base64', where)
  return Buffer.from(text, 'base64')
}

/** GNU.sparse.* records of the PAX formats 0.0, 0.1 and 1.0. Source: GNU tar manual, "Storing Sparse Files". */
class SparseRecords {
  #version = ['', '']
  #realSize: number | undefined
  #name: string | undefined
  #map: SparseSegment[] | undefined
  #offset: number | undefined

  add(key: string, value: Buffer, where: string): void {
    if (key === 'major' || key === 'minor') this.#version[key === 'major' ? 0 : 1] = value.toString('latin1', 0, 8)
    else if (key === 'name') this.#name = paxText(value, key, where)
    else if (key === 'size' || key === 'realsize') this.#realSize = paxInteger(value, key, where)
    else if (key === 'map') this.#map = pairs(mapNumbers(value, where), where)
    else if (key === 'offset') this.#offset = paxInteger(value, key, where)
    else if (key === 'numbytes') {
      if (this.#offset === undefined) throw tarError('has a sparse length without an offset', where)
      this.#map ??= []
      this.#map.push({ offset: this.#offset, length: paxInteger(value, key, where) })
      this.#offset = undefined
    }
  }

  apply(entry: TarEntry, limits: TarLimits): 'data' | 'map' {
    const version = this.#version.join('.')
    if (version === '.' && this.#map === undefined) return 'data'
    if (version !== '1.0' && version !== '0.0' && version !== '0.1' && version !== '.')
      throw tarError(`has the unknown sparse format ${JSON.stringify(version)}`, entry.name)
    if (this.#realSize === undefined) throw tarError('is sparse, but its real size is missing', entry.name)
    entry.name = this.#name ?? entry.name
    entry.size = this.#realSize
    if (version === '1.0') return 'map'
    entry.sparse = this.#map ?? []
    if (entry.sparse.length > limits.sparseSegments)
      throw tarError(`the sparse map has more than ${limits.sparseSegments} segments`, entry.name)
    return 'data'
  }
}

function mapNumbers(value: Buffer, where: string): number[] {
  if (value.length === 0) return []
  const numbers = value.toString('latin1', 0, value.length).split(',')
  return numbers.map((text) => paxInteger(Buffer.from(text, 'latin1'), 'GNU.sparse.map', where))
}
