import { lstatSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { asError, BaleError, errnoOf, isBaleError, printable } from '#base'
import { type MountInfo, mountInfo } from '#host'
import { readTextSync } from '#host/file'
import { lowerDirectories } from './lower-directories.ts'

/** What file systems say of a damaged disk: EIO, EUCLEAN (a structure that makes no sense), EBADMSG (a checksum). */
const DAMAGE = ['EIO', 'EUCLEAN', 'EBADMSG']

/**
 * Identifies the layer when reading a layer's file fails, directly or through an overlay.
 * Anything else is answered as it is. `path` may begin at a descriptor (`/proc/self/fd/N/…`) that is still open.
 */
export function unreadable(error: unknown, path: Uint8Array | string): unknown {
  if (!DAMAGE.includes(errnoOf(error) ?? '')) return error
  const place = withoutDescriptor(Buffer.from(path).toString())
  const table = mountInfo()
  // The last of the deepest mounts is the one that shows.
  const mount = table
    .filter(({ target }) => target === '/' || place === target || place.startsWith(`${target}/`))
    .reduce((best, one) => (one.target.length >= best.target.length ? one : best))
  const inside = mount.target === '/' ? place : place.slice(mount.target.length)
  const layers = mount.type === 'overlay' ? lowerDirectories(mount) : [mount.target]
  const layer = layers.find((lower) => isPartOf(lower, inside, layers.length === 1))
  return damage(error, { digest: layer && digestOf(layer, table), inside, path: place })
}

/** The same for a layer that is read from its image, not from a mount of it. */
export function unreadableImage(error: unknown, path: string): unknown {
  if (!DAMAGE.includes(errnoOf(error) ?? '') && !isBaleError(error, 'INVALID_LAYER_IMAGE')) return error
  return damage(error, { digest: digestIn(path), inside: basename(path), path })
}

function damage(
  error: unknown,
  { digest, inside, path }: { digest: string | undefined; inside: string; path: string },
): BaleError {
  const what = digest ? `the layer ${digest} is damaged or cannot be read` : 'a damaged disk cannot be read'
  const why = errnoOf(error) ?? asError(error).message
  return new BaleError('STORE_DAMAGED', `${what}: ${printable(inside || '/')}: ${why}`, {
    ...(digest ? { next: { act: 'check-disk' } } : { hint: "the kernel's log (dmesg) tells about the disk" }),
    cause: error,
    details: { ...(digest && { digest }), path },
  })
}

function withoutDescriptor(path: string): string {
  const [, link, rest] = /^(\/proc\/self\/fd\/\d+)(.*)$/s.exec(path) ?? []
  if (link === undefined) return path
  return join(readlinkSync(link), rest ?? '')
}

/** True for the uppermost layer that has the entry, and for one that cannot be read at all. */
function isPartOf(layer: string, inside: string, isOnly: boolean): boolean {
  if (isOnly) return true
  try {
    return lstatSync(join(layer, inside), { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    return DAMAGE.includes(errnoOf(error) ?? '')
  }
}

/** Layers are stored in directories named after them; an image is mounted from there, or from a loop device over it. */
function digestOf(layer: string, table: readonly MountInfo[]): string | undefined {
  const source = table.findLast(({ target, type }) => target === layer && type === 'erofs')?.source ?? layer
  const file = source.startsWith('/dev/loop')
    ? readTextSync(`/sys/block/${basename(source)}/loop/backing_file`)
    : source
  return digestIn(file)
}

function digestIn(path: string): string | undefined {
  const [hex] = /\b[0-9a-f]{64}\b/.exec(path) ?? []
  return hex && `sha256:${hex}`
}
