import { BaleError, printable } from '#base'
import { type ImageInode, lookupPath, openErofs, type RandomSource } from '../erofs/index.ts'

/**
 * One file of one layer, without a mount and without root. The path is latin1; symlinks are followed inside the layer
 * only. PATH_NOT_FOUND when the layer has no such file (a lower layer may) or it is not a regular file.
 */
export async function openLayerFile(
  source: RandomSource,
  path: string,
): Promise<{ inode: ImageInode; data: AsyncIterable<Uint8Array> }> {
  const image = await openErofs(source)
  const inode = await lookupPath(image, path)
  if (inode?.type !== 'file')
    throw new BaleError('PATH_NOT_FOUND', `the layer has no regular file ${printable(path)}`, {
      hint: inode ? `it is a ${inode.type}` : 'another layer of the image may have it',
    })
  return { inode, data: image.readData(inode.nid) }
}
