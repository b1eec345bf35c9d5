import type { Descriptor, History, ImageConfig, ImageManifest } from '#spec'
import { CONFIG_LIMIT, encodeDocument, MANIFEST_LIMIT, parseImageConfig, parseStrictJson } from '#spec'
import { describe, type ImageDocuments, type LayerDescription, orderConfig } from './make-image.ts'

/**
 * The same image with a changed config. Members that bale does not know stay as they are in the raw bytes, of the config
 * as well as of the manifest; `change` gets the known ones and returns all of them. Layers are not its matter.
 */
export function changeConfig(image: ImageDocuments, change: (config: ImageConfig) => ImageConfig): ImageDocuments {
  return rewrite(image, { ...change(image.config), rootfs: image.config.rootfs }, image.manifest.layers)
}

/** The same image with one more layer on top, and a history entry that describes it. */
export function appendLayer(image: ImageDocuments, layer: LayerDescription, history: History = {}): ImageDocuments {
  const { diffId, ...described } = layer
  const config: ImageConfig = {
    ...image.config,
    rootfs: { type: 'layers', diff_ids: [...image.config.rootfs.diff_ids, diffId] },
    history: [...(image.config.history ?? []), history],
  }
  return rewrite(image, config, [...image.manifest.layers, described])
}

/** The same image with its blobs replaced, layer for layer (compressed for a push). The config, hence the ID, stays. */
export function replaceLayers(image: ImageDocuments, layers: readonly Descriptor[]): ImageDocuments {
  const manifest = { ...image.manifest, layers: [...layers] }
  return { ...image, ...encodeManifest(image, manifest) }
}

function rewrite(image: ImageDocuments, config: ImageConfig, layers: readonly Descriptor[]): ImageDocuments {
  const raw = parseStrictJson(image.configBytes, { limit: CONFIG_LIMIT, what: 'image config' }) as ImageConfig
  const merged = merge(raw, image.config, config)
  if (merged.config && config.config) merged.config = merge(raw.config ?? {}, image.config.config ?? {}, config.config)
  const configBytes = encodeDocument(orderConfig(merged))
  const configDescriptor = describe(configBytes, image.manifest.config.mediaType)
  const manifest = { ...image.manifest, config: configDescriptor, layers: [...layers] }
  return { config: parseImageConfig(configBytes), configBytes, configDescriptor, ...encodeManifest(image, manifest) }
}

function encodeManifest(image: ImageDocuments, manifest: ImageManifest) {
  const raw = parseStrictJson(image.manifestBytes, { limit: MANIFEST_LIMIT, what: 'manifest' }) as ImageManifest
  const manifestBytes = encodeDocument(merge(raw, image.manifest, manifest))
  return { manifest, manifestBytes, manifestDescriptor: describe(manifestBytes, manifest.mediaType) }
}

/** Raw members, without those that were known, with the wanted ones. A member that is unchanged keeps its place. */
function merge<T extends object>(raw: T, known: Partial<T>, wanted: T): T {
  const kept = Object.entries(raw).filter(([key]) => !Object.hasOwn(known, key) || Object.hasOwn(wanted, key))
  return { ...(Object.fromEntries(kept) as T), ...wanted }
}
