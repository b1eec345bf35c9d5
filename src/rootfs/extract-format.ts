import { closeSync, openSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isBaleError, type OperationOptions } from '#base'
import { openErofs } from '#format/erofs'
import { createLayerWriter } from '#format/layer'
import { syncfs } from '#host'
import { readText, withNoSpace } from '#host/file'
import type { LayerFormat, WrittenLayer } from '#store'
import { compareTar, damagedLayer } from './erofs-format.ts'
import { extractImage } from './extract-image.ts'
import { createImageFile, openImageSource } from './image-file.ts'
import { TAR_NAME, TREE_DIGEST_NAME, TREE_NAME } from './layer-files.ts'
import { createSplitFile, readSplitFile } from './split-file.ts'
import { treeDigest } from './tree-digest.ts'

const SCRATCH_NAME = 'scratch.erofs'

/**
 * Layers as plain trees, for machines that cannot mount images. The tar is first read into an image, exactly as the erofs
 * format does, and the tree is made from the image: so both formats agree on every name, and no path of a tar is ever
 * resolved on the disk (parents are directories that this function made itself; links are leaves).
 */
export const layerFormat: LayerFormat = {
  name: 'extract',
  write: (directory, tar, options) => writeExtractedLayer(directory, tar, options),
  openTar: (directory) => readSplitFile(join(directory, TAR_NAME)),
  verify: (directory, expected, options) => verifyExtractedLayer(directory, expected, options),
  verifyMountable: (directory, expected) => verifyTree(directory, expected),
}

async function writeExtractedLayer(
  directory: string,
  tar: AsyncIterable<Uint8Array>,
  options: OperationOptions = {},
): Promise<WrittenLayer> {
  return withNoSpace(directory, async () => {
    const scratch = join(directory, SCRATCH_NAME)
    using image = createImageFile(scratch)
    await using compressed = createSplitFile(join(directory, TAR_NAME))
    const writer = createLayerWriter({ image, split: { write: () => undefined } })
    for await (const bytes of tar) {
      options.signal?.throwIfAborted()
      await Promise.all([writer.push(bytes), compressed.write(bytes)])
    }
    const written = await writer.finish()
    image.flush()
    const tarFile = await compressed.finish()
    const tree = join(directory, TREE_NAME)
    {
      using source = openImageSource(scratch)
      await extractImage(await openErofs(source), tree, options)
    }
    await rm(scratch)
    await writeFile(join(directory, TREE_DIGEST_NAME), treeDigest(tree))
    syncFileSystem(directory)
    return {
      diffId: written.diffId,
      tarSize: written.tarSize,
      contentSize: written.contentSize,
      diskSize: tarFile.diskSize + written.contentSize,
    }
  })
}

async function verifyExtractedLayer(
  directory: string,
  expected: WrittenLayer,
  { signal }: OperationOptions = {},
): Promise<void> {
  await verifyTree(directory, expected)
  try {
    await compareTar(readSplitFile(join(directory, TAR_NAME)), expected, signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (isBaleError(error, 'STORE_DAMAGED')) throw error
    throw damagedLayer(expected, 'its files cannot be read', error)
  }
}

async function verifyTree(directory: string, expected: WrittenLayer): Promise<void> {
  let digest: string
  let found: string
  try {
    digest = await readText(join(directory, TREE_DIGEST_NAME))
    found = treeDigest(join(directory, TREE_NAME))
  } catch (error) {
    throw damagedLayer(expected, 'its files cannot be read', error)
  }
  if (found !== digest) throw damagedLayer(expected, 'its tree was changed')
}

/** One call for a tree of many files, where an fsync of each would take minutes. */
function syncFileSystem(directory: string): void {
  const fd = openSync(directory, 'r')
  try {
    syncfs(fd)
  } finally {
    closeSync(fd)
  }
}
