import { table } from '#base'

/** Media types of OCI and docker that bale reads or writes. Source: image-spec media-types.md; distribution's schema 2. */
export const MediaType = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociForeignLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const

const OCI_TYPES = table<string>({
  [MediaType.dockerIndex]: MediaType.ociIndex,
  [MediaType.dockerManifest]: MediaType.ociManifest,
  [MediaType.dockerConfig]: MediaType.ociConfig,
  [MediaType.dockerLayer]: MediaType.ociLayer,
  [MediaType.dockerLayerGzip]: MediaType.ociLayerGzip,
  [MediaType.dockerLayerZstd]: MediaType.ociLayerZstd,
  [MediaType.dockerForeignLayerGzip]: MediaType.ociForeignLayerGzip,
})

/** OCI's media type for what docker calls otherwise; any other type as it is. */
export function ociTypeOf(mediaType: string): string {
  return OCI_TYPES[mediaType] ?? mediaType
}

/** Whether a media type is that of an index (docker: manifest list). */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MediaType.ociIndex || mediaType === MediaType.dockerIndex
}

/** Whether a media type is that of an image's manifest, OCI's or docker's. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MediaType.ociManifest || mediaType === MediaType.dockerManifest
}

/** Whether a media type is that of an image's config, OCI's or docker's. */
export function isConfigType(mediaType: string): boolean {
  return mediaType === MediaType.ociConfig || mediaType === MediaType.dockerConfig
}

/**
 * What registries and clients of 2015 and 2016 wrote where docker's config type belongs. It is an image's config when the
 * layers are an image's. Source: moby's distribution package, "defaultImageTypes".
 */
export function isDefaultedConfigType(mediaType: string): boolean {
  return ['application/octet-stream', 'application/json', 'text/html'].includes(mediaType)
}

const LAYERS = table<'none' | 'gzip' | 'zstd'>({
  [MediaType.ociLayer]: 'none',
  [MediaType.ociForeignLayer]: 'none',
  [MediaType.dockerLayer]: 'none',
  [MediaType.ociLayerGzip]: 'gzip',
  [MediaType.ociForeignLayerGzip]: 'gzip',
  [MediaType.dockerLayerGzip]: 'gzip',
  [MediaType.dockerForeignLayerGzip]: 'gzip',
  [MediaType.ociLayerZstd]: 'zstd',
  [MediaType.ociForeignLayerZstd]: 'zstd',
  [MediaType.dockerLayerZstd]: 'zstd',
})

/** The compression that a layer's media type promises, or undefined when it is not a file-system layer. */
export function layerCompression(mediaType: string): 'none' | 'gzip' | 'zstd' | undefined {
  return LAYERS[mediaType]
}
