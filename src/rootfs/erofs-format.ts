import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { BaleError, isBaleError, type OperationOptions, type PiecePool } from '#base'
import { checkErofs } from '#format/erofs'
import { createLayerWriter, reassemble } from '#format/layer'
import { streamFile, withNoSpace } from '#host/file'
import type { LayerFormat, WrittenLayer } from '#store'
import { createImageFile, hashImageFile, openImageSource } from './image-file.ts'
import { IMAGE_NAME, SPLIT_NAME } from './layer-files.ts'
import { writeMetadataRuns } from './metadata-runs.ts'
import { createSplitFile, readSplitFile } from './split-file.ts'

/** Layers as one mountable image each: `layer.erofs`, and `split.zst` with all other bytes of the tar. */
export const layerFormat: LayerFormat = {
  name: 'erofs',
  write: (directory, tar, options) => writeErofsLayer(directory, tar, options),
  openTar: (directory, options) => openErofsTar(directory, options),
  verify: (directory, expected, options) => verifyErofsLayer(directory, expected, options),
  verifyMountable: (directory, expected, options) => verifyImageFile(directory, expected, options),
}

/** In one pass: hash, scan, place. Both files are on the disk when it ends. */
async function writeErofsLayer(
  directory: string,
  tar: AsyncIterable<Uint8Array>,
  options: OperationOptions = {},
): Promise<WrittenLayer> {
  return withNoSpace(directory, async () => {
    using image = createImageFile(join(directory, IMAGE_NAME))
    await using split = createSplitFile(join(directory, SPLIT_NAME))
    const writer = createLayerWriter({ image, split })
    for await (const bytes of tar) {
      options.signal?.throwIfAborted()
      const waits = writer.push(bytes)
      if (waits) await waits
    }
    const written = await writer.finish()
    const [imageFile, splitFile] = await Promise.all([image.finish(written.imageSize), split.finish()])
    writeMetadataRuns(directory, written.metadata)
    return {
      diffId: written.diffId,
      tarSize: written.tarSize,
      contentSize: written.contentSize,
      diskSize: imageFile.diskSize + splitFile.diskSize,
      imageDigest: imageFile.digest,
    }
  })
}

async function* openErofsTar(directory: string, { pieces }: { pieces?: PiecePool } = {}): AsyncGenerator<Uint8Array> {
  using image = openImageSource(join(directory, IMAGE_NAME))
  yield* reassemble({ image, split: readSplitFile(join(directory, SPLIT_NAME)), pieces })
}

async function verifyErofsLayer(
  directory: string,
  expected: WrittenLayer,
  { signal }: OperationOptions = {},
): Promise<void> {
  try {
    const digest = hashImageFile(join(directory, IMAGE_NAME))
    if (expected.imageDigest !== undefined && digest !== expected.imageDigest)
      throw damagedLayer(expected, `its image has the digest ${digest} instead of ${expected.imageDigest}`)
    using image = openImageSource(join(directory, IMAGE_NAME))
    await checkErofs(image)
    await compareTar(openErofsTar(directory), expected, signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (isBaleError(error, 'STORE_DAMAGED')) throw error
    throw damagedLayer(expected, 'its files cannot be read', error)
  }
}

/** The kernel verifies nothing of an image: here is where damage of the disk is found. */
async function verifyImageFile(
  directory: string,
  expected: WrittenLayer,
  { signal }: OperationOptions = {},
): Promise<void> {
  const hash = createHash('sha256')
  try {
    for await (const bytes of streamFile(join(directory, IMAGE_NAME), { signal })) hash.update(bytes)
  } catch (error) {
    signal?.throwIfAborted()
    throw damagedLayer(expected, 'its image file cannot be read', error)
  }
  const digest = `sha256:${hash.digest('hex')}`
  if (digest !== expected.imageDigest) throw damagedLayer(expected, 'its image file was changed')
}

/** The tar reproduced from a layer must be the one written. */
export async function compareTar(
  tar: AsyncIterable<Uint8Array>,
  expected: WrittenLayer,
  signal?: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256')
  let size = 0
  for await (const bytes of tar) {
    signal?.throwIfAborted()
    hash.update(bytes)
    size += bytes.length
  }
  const diffId = `sha256:${hash.digest('hex')}`
  if (diffId === expected.diffId && size === expected.tarSize) return
  throw damagedLayer(expected, `it reproduces a tar of ${size} bytes with the digest ${diffId}`)
}

export function damagedLayer(layer: Pick<WrittenLayer, 'diffId'>, what: string, cause?: unknown): BaleError {
  return new BaleError('STORE_DAMAGED', `the layer ${layer.diffId} is damaged: ${what}`, {
    next: { act: 'repair-store' },
    details: { diffId: layer.diffId },
    cause,
  })
}
