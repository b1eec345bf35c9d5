/** Files as distribution (Debian: docker-registry) lays them out, right or wrong as a test wants them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { INDEX_TYPE, MANIFEST_TYPE, sha256 } from './registry-client.ts'

export interface Described {
  mediaType: string
  digest: string
  size: number
}

export interface DistributionFiles {
  /** What distribution calls `rootdirectory`. */
  root: string
  /** A path below docker/registry/v2. */
  path(...names: string[]): string
  file(path: string, content: Uint8Array | string): void
  /** Bytes, under the digest that they have or another one. */
  bytes(content: Uint8Array | string, digest?: string): string
  /** A blob that the repository holds. */
  blob(repository: string, content: string): Described
  /** The link of a blob in a repository, with the content that distribution writes or another one. */
  link(repository: string, digest: string, content?: string): void
  tag(repository: string, tag: string, digest: string): void
  /** Any document as a revision of the repository, with or without a tag. */
  manifest(repository: string, document: object | string, tag?: string): Described
  /** An image of two blobs, made of `content`. */
  image(repository: string, content: string, options?: { tag?: string; more?: object }): PlacedImage
  index(repository: string, manifests: Described[], tag?: string): Described
}

export interface PlacedImage extends Described {
  config: Described
  layer: Described
}

export function distributionFiles(root: string): DistributionFiles {
  const path = (...names: string[]) => join(root, 'docker/registry/v2', ...names)
  const file: DistributionFiles['file'] = (name, content) => {
    mkdirSync(dirname(name), { recursive: true })
    writeFileSync(name, content)
  }
  const hex = (digest: string) => digest.slice('sha256:'.length)
  const bytes: DistributionFiles['bytes'] = (content, digest = sha256(content)) => {
    file(path('blobs/sha256', hex(digest).slice(0, 2), hex(digest), 'data'), content)
    return digest
  }
  const link: DistributionFiles['link'] = (repository, digest, content = digest) =>
    file(path('repositories', repository, '_layers/sha256', hex(digest), 'link'), content)
  const blob: DistributionFiles['blob'] = (repository, content) => {
    const digest = bytes(content)
    link(repository, digest)
    return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: Buffer.byteLength(content) }
  }
  const tag: DistributionFiles['tag'] = (repository, name, digest) =>
    file(path('repositories', repository, '_manifests/tags', name, 'current/link'), digest)
  const manifest: DistributionFiles['manifest'] = (repository, document, name) => {
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    const digest = bytes(text)
    file(path('repositories', repository, '_manifests/revisions/sha256', hex(digest), 'link'), digest)
    if (name !== undefined) tag(repository, name, digest)
    const { mediaType = MANIFEST_TYPE } = typeof document === 'string' ? {} : (document as { mediaType?: string })
    return { mediaType, digest, size: Buffer.byteLength(text) }
  }
  return {
    ...{ root, path, file, bytes, blob, link, tag, manifest },
    image(repository, content, { tag: name, more = {} } = {}) {
      const config = {
        ...blob(repository, JSON.stringify({ content })),
        mediaType: 'application/vnd.oci.image.config.v1+json',
      }
      const layer = blob(repository, `layer of ${content}`)
      const document = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [layer], ...more }
      return { ...manifest(repository, document, name), config, layer }
    },
    index: (repository, manifests, name) =>
      manifest(repository, { schemaVersion: 2, mediaType: INDEX_TYPE, manifests }, name),
  }
}
