import { type ErofsImage, openErofs, type RandomSource, readLink, type WalkedInode, walkImage } from '#format/erofs'
import { readableFile } from '../readable-file.ts'
import { beginsAsOne } from './begins-as-one.ts'
import { createGivenContents } from './given-contents.ts'
import type { LayerChange, LayerFiles, LayerVisitor } from './layer-files.ts'

type OpenImage = () => RandomSource & Disposable

/**
 * A layer read from its image in the store: only the directories and the wanted files are read. `open` gives the image
 * file; it is closed after the visit. A damaged image is INVALID_LAYER_IMAGE, whatever the visitor does with the error.
 */
export function imageLayer(open: OpenImage): LayerFiles {
  return {
    async visit(visitor, { signal } = {}) {
      using source = open()
      const failures: unknown[] = []
      try {
        await walk(await openErofs(source), visitor, failures, signal)
        signal?.throwIfAborted()
      } finally {
        if (!signal?.aborted) await visitor.end?.()
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}

/** `failures` receives what reading the contents threw. */
async function walk(
  image: ErofsImage,
  visitor: LayerVisitor,
  failures: unknown[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const given = createGivenContents()
  for await (const inode of walkImage(image)) {
    signal?.throwIfAborted()
    for (const change of await changesOf(image, inode, visitor)) {
      const wanted = change.kind === 'file' ? visitor.wants(change) : undefined
      visitor.change(change, wanted)
      if (!wanted || change.kind !== 'file' || given.has(change.inode, wanted)) continue
      given.add(change.inode, wanted)
      const file = readableFile(change, {
        readAt: (position, length) => readPart(image, change.inode, position, length, failures),
      })
      if (await beginsAsOne(file, wanted.magic)) await visitor.content(file, change.inode)
      if (failures.length > 0) throw failures[0]
    }
  }
}

/** Source: kernel documentation, filesystems/overlayfs.rst, "whiteouts and opaque directories". */
async function changesOf(
  image: ErofsImage,
  inode: WalkedInode,
  { wantsTargets }: LayerVisitor,
): Promise<LayerChange[]> {
  const { path, type, size, permissions: mode } = inode
  if (type === 'file') return [{ kind: 'file', path, size, mode, inode: inode.nid }]
  if (type === 'character' && inode.deviceMajor === 0 && inode.deviceMinor === 0) return [{ kind: 'whiteout', path }]
  if (type === 'symlink')
    return [{ kind: 'symlink', path, target: wantsTargets ? await readLink(image, inode.nid) : undefined }]
  if (type !== 'directory') return [{ kind: 'other', path }]
  const opaque = (await image.xattrs(inode.nid)).get('trusted.overlay.opaque')
  return opaque
    ? [
        { kind: 'opaque', path },
        { kind: 'directory', path },
      ]
    : [{ kind: 'directory', path }]
}

async function readPart(
  image: ErofsImage,
  nid: number,
  start: number,
  length: number,
  failures: unknown[],
): Promise<Uint8Array> {
  try {
    return Buffer.concat(await Array.fromAsync(image.readData(nid, { start, length })))
  } catch (error) {
    failures.push(error)
    throw error
  }
}
