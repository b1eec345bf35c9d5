import { BaleError, printable } from '#base'

/** Prefix index of the on-disk form. The ACL names have nothing after the prefix. */
const PREFIXES: readonly { prefix: string; index: number; whole?: true }[] = [
  { prefix: 'user.', index: 1 },
  { prefix: 'system.posix_acl_access', index: 2, whole: true },
  { prefix: 'system.posix_acl_default', index: 3, whole: true },
  { prefix: 'trusted.', index: 4 },
  { prefix: 'security.', index: 6 },
]

const XATTR_HEADER = 12
/** What the 16-bit count of an inode can say. */
const AREA_LIMIT = XATTR_HEADER + 65534 * 4

export type Xattrs = ReadonlyMap<string, Uint8Array>

/** Can the image hold an extended attribute of this name at all? */
export function isStorableXattr(name: string): boolean {
  const place = PREFIXES.find((one) => (one.whole ? name === one.prefix : name.startsWith(one.prefix)))
  return place !== undefined && (place.whole === true || name.length > place.prefix.length)
}

/** Bytes after the inode; 0 when there is no attribute (an empty area is never written: listing would fail). */
export function xattrAreaSize(xattrs: Xattrs): number {
  if (xattrs.size === 0) return 0
  let bytes = XATTR_HEADER
  for (const [name, value] of xattrs) bytes += align4(4 + place(name).rest.length + value.length)
  if (bytes > AREA_LIMIT)
    throw new BaleError(
      'LIMIT_EXCEEDED',
      `the extended attributes of one file take ${bytes} bytes, more than ${AREA_LIMIT}`,
    )
  return bytes
}

/** Header, then entries sorted by name, each padded to four bytes. The target must be zeroed. */
export function encodeXattrs(xattrs: Xattrs, target: Uint8Array, at: number): void {
  let position = at + XATTR_HEADER
  const sorted = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, value] of sorted) {
    const { index, rest } = place(name)
    if (rest.length > 255 || value.length > 65535)
      throw new BaleError('LIMIT_EXCEEDED', `the extended attribute ${printable(name, 80)} is too long`)
    target[position] = rest.length
    target[position + 1] = index
    target[position + 2] = value.length & 0xff
    target[position + 3] = value.length >> 8
    for (let i = 0; i < rest.length; i++) target[position + 4 + i] = rest.charCodeAt(i)
    target.set(value, position + 4 + rest.length)
    position += align4(4 + rest.length + value.length)
  }
}

/** Full names in latin1, or undefined when the area is not well formed. */
export function decodeXattrs(area: Uint8Array): Map<string, Uint8Array> | undefined {
  const xattrs = new Map<string, Uint8Array>()
  if (area.length === 0) return xattrs
  // Byte 4 counts shared attributes, which bale does not write.
  if (area.length < XATTR_HEADER || area[4] !== 0) return undefined
  let position = XATTR_HEADER
  while (position < area.length) {
    if (position + 4 > area.length) return undefined
    const nameLength = area[position]!
    const found = PREFIXES.find((one) => one.index === area[position + 1])
    const valueLength = area[position + 2]! | (area[position + 3]! << 8)
    const valueAt = position + 4 + nameLength
    if (!found || valueAt + valueLength > area.length) return undefined
    const rest = Buffer.from(area.buffer, area.byteOffset + position + 4, nameLength).toString('latin1')
    xattrs.set(found.prefix + rest, new Uint8Array(area.subarray(valueAt, valueAt + valueLength)))
    position += align4(4 + nameLength + valueLength)
  }
  return xattrs
}

function place(name: string): { index: number; rest: string } {
  for (const { prefix, index, whole } of PREFIXES)
    if (whole ? name === prefix : name.startsWith(prefix)) return { index, rest: name.slice(prefix.length) }
  throw new BaleError('INTERNAL', `extended attribute ${printable(name, 80)} cannot be stored in an image`)
}

function align4(bytes: number): number {
  return (bytes + 3) & ~3
}
