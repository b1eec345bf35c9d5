import { type ErofsImage, openErofs, type RandomSource, readLink, type WalkedInode, walkImage } from '#format/erofs'
import { readableFile } from '../readable-file.ts'
import { beginsAsOne } from './begins-as-one.ts'
import type { LayerChange, LayerFiles, LayerVisitor } from './layer-files.ts'

/**
 * A layer read from its image in the store: only the directories and the wanted files are read. `open` gives the image
 * file; it is closed after the visit.
 */
export function imageLayer(open: () => RandomSource & Disposable): LayerFiles {
  return {
    async visit(visitor, { signal } = {}) {
      using source = open()
      const image = await openErofs(source)
      for await (const inode of walkImage(image)) {
        signal?.throwIfAborted()
        for (const change of await changesOf(image, inode, visitor)) {
          const wanted = visitor.change(change)
          if (!wanted || change.kind !== 'file') continue
          const file = readableFile(change, {
            readAt: (position, length) => readPart(image, inode.nid, position, length),
          })
          if (!(await beginsAsOne(file, wanted.magic))) continue
          await visitor.content(file)
        }
      }
      await visitor.end?.()
    },
  }
}

/** Source: kernel documentation, filesystems/overlayfs.rst, "whiteouts and opaque directories". */
async function changesOf(
  image: ErofsImage,
  inode: WalkedInode,
  { wantsTargets }: LayerVisitor,
): Promise<LayerChange[]> {
  const { path, type, size, permissions: mode } = inode
  if (type === 'file') return [{ kind: 'file', path, size, mode }]
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

async function readPart(image: ErofsImage, nid: number, start: number, length: number): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(image.readData(nid, { start, length })))
}
