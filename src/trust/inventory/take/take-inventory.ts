import { BaleError, isBaleError, type OperationOptions, printable } from '#base'
import { verifying } from '#blob'
import { decompressAny } from '#format/compression'
import { fullHistory, type ImageSource, isImageManifest, type ReadManifest, readImageConfig } from '#image'
import type { Descriptor, Digest, ImageConfig } from '#spec'
import { ANALYSER_VERSION } from '../analyser-version.ts'
import { type LayerFiles, tarLayer } from '../layers/index.ts'
import type { Gap, Inventory, InventoryLayer } from '../model.ts'
import { ANALYSERS } from './analysers.ts'
import { choosePackages } from './choose-packages.ts'
import { createImageFiles } from './image-files.ts'

/** What taking an inventory needs besides the image. */
interface InventoryOptions extends OperationOptions {
  /** A directory for files that are too large for memory. */
  readonly temporary: string
  /**
   * A layer that is at hand in another form than its blob, by its diff ID; undefined for one that has to be read from
   * the source. The config is believed: whoever pulls an image whose layers have other diff IDs refuses it.
   */
  readonly layerAtHand?: (layer: Digest) => Promise<LayerFiles | undefined>
}

/**
 * Looks at every layer of one image, from the bottom up, and lists the packages in it. Nothing is mounted, extracted or run.
 * A layer or file that cannot be read becomes a gap. Throws UNSUPPORTED for a manifest that is no image, NO_SPACE when the
 * disk is full, INVALID_LAYER_IMAGE for a damaged layer of the store, and what the source throws for the config.
 */
export async function takeInventory(
  source: ImageSource,
  manifest: ReadManifest,
  options: InventoryOptions,
): Promise<Inventory> {
  const { config, layers } = await readLayers(source, manifest, options)
  const files = createImageFiles(ANALYSERS)
  const gaps: Gap[] = []
  for (const layer of layers) {
    const { digest } = layer.descriptor
    options.signal?.throwIfAborted()
    options.progress?.({ kind: 'layer', digest, phase: 'analysing' })
    try {
      await files.addLayer(await filesOf(source, layer, options), { signal: options.signal })
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isBaleError(error) || isFatal(error)) throw error
      gaps.push({ where: digest, reason: error.message })
    }
    options.progress?.({ kind: 'layer', digest, phase: 'analysed' })
  }
  const contents = choosePackages(files)
  const inventoryLayers = describeLayers(config, layers)
  return {
    analyser: ANALYSER_VERSION,
    manifest: manifest.descriptor.digest,
    ...contents,
    layers: inventoryLayers,
    gaps: [...gaps, ...contents.gaps],
  }
}

/**
 * The layers of an image, from the bottom up, each of which can be read any number of times. Throws as `takeInventory`
 * does.
 */
export async function layersOf(
  source: ImageSource,
  manifest: ReadManifest,
  options: InventoryOptions,
): Promise<LayerFiles[]> {
  const { layers } = await readLayers(source, manifest, options)
  return Promise.all(layers.map((layer) => filesOf(source, layer, options)))
}

/** Whether the machine or the store is at fault, and not the image. */
function isFatal({ code }: BaleError): boolean {
  return code === 'NO_SPACE' || code === 'INVALID_LAYER_IMAGE'
}

async function filesOf(source: ImageSource, layer: Layer, options: InventoryOptions): Promise<LayerFiles> {
  return (await options.layerAtHand?.(layer.diffId)) ?? blobLayer(source, layer, options.temporary)
}

interface Layer {
  readonly descriptor: Descriptor
  readonly diffId: Digest
}

async function readLayers(
  source: ImageSource,
  manifest: ReadManifest,
  { signal }: OperationOptions,
): Promise<{ config: ImageConfig; layers: Layer[] }> {
  const { digest } = manifest.descriptor
  if (manifest.kind !== 'manifest' || !isImageManifest(manifest.manifest))
    throw new BaleError('UNSUPPORTED', `${digest} is not an image, so it has no packages to list`)
  const read = await readImageConfig(source, manifest.manifest, { signal })
  const diffIds = read!.config.rootfs.diff_ids
  const { layers } = manifest.manifest
  if (diffIds.length !== layers.length)
    throw new BaleError(
      'INVALID_MANIFEST',
      `${digest} has ${layers.length} layers, but its config names ${diffIds.length}`,
    )
  return { config: read!.config, layers: layers.map((descriptor, index) => ({ descriptor, diffId: diffIds[index]! })) }
}

/** The tar as it comes from the source: the blob's digest is checked while it passes. */
function blobLayer(source: ImageSource, { descriptor }: Layer, temporary: string): LayerFiles {
  return tarLayer(async (options) => {
    const blob = verifying(await source.blob(descriptor, options), descriptor)
    return decompressAny(blob, { signal: options.signal })
  }, temporary)
}

function describeLayers(config: ImageConfig, layers: readonly Layer[]): InventoryLayer[] {
  const steps = fullHistory(config).filter((entry) => !entry.empty_layer)
  return layers.map(({ descriptor, diffId }, index) => {
    const createdBy = steps[index]?.created_by
    return {
      digest: descriptor.digest,
      diffId,
      ...(createdBy === undefined ? {} : { createdBy: printable(createdBy, 4096) }),
    }
  })
}
