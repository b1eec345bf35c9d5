/**
 * A layer format for tests of the store: the tar itself, as one file. Not mountable; everything else about it is real
 * (one pass, synced, its digest checked). A tar that begins with `BAD` is refused as damaged.
 */
import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError } from '#base'
import { fsyncDirectory, streamFile } from '#host/file'
import type { Digest } from '#spec'
import type { LayerFormat, WrittenLayer } from '#store'

const FILE = 'layer.erofs'

export const layerFormat: LayerFormat = {
  name: 'erofs',
  async write(directory, tar) {
    const hash = createHash('sha256')
    let size = 0
    const file = await open(join(directory, FILE), 'wx')
    try {
      for await (const chunk of tar) {
        if (size === 0 && Buffer.from(chunk.subarray(0, 3)).equals(Buffer.from('BAD'))) {
          throw new BaleError('INVALID_TAR', 'the tar begins with BAD')
        }
        hash.update(chunk)
        await file.writeFile(chunk)
        size += chunk.byteLength
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await fsyncDirectory(directory)
    const diffId = `sha256:${hash.digest('hex')}` as Digest
    return { diffId, tarSize: size, diskSize: size, contentSize: size, imageDigest: diffId }
  },
  openTar: (directory) => streamFile(join(directory, FILE)),
  verify,
  verifyMountable: verify,
}

async function verify(directory: string, expected: WrittenLayer): Promise<void> {
  const digest = createHash('sha256')
    .update(await readFile(join(directory, FILE)))
    .digest('hex')
  if (`sha256:${digest}` !== expected.imageDigest) throw new BaleError('STORE_DAMAGED', 'the layer file was changed')
}
