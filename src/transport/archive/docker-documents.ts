import { type Digest, encodeDocument, familiarName, familiarRepository, hexOf, parseReference } from '#spec'

/** An image as docker's documents of an archive list it. */
export interface ListedImage {
  config: Digest
  /** Blobs of the layers, lowest first. */
  layers: readonly Digest[]
  /** Full references. */
  names: readonly string[]
}

export function blobName(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`
}

/** manifest.json. Docker writes null where an image has no name, and names as people type them: scripts look for `web:1`. */
export function encodeManifestJson(images: readonly ListedImage[]): Uint8Array {
  return encodeDocument(
    images.map(({ config, layers, names }) => ({
      Config: blobName(config),
      RepoTags: names.length === 0 ? null : names.map((name) => familiarName(parseReference(name))),
      Layers: layers.map(blobName),
    })),
  )
}

/** `repositories`, for readers older than manifest.json: repository -> tag -> the uppermost layer. */
export function encodeRepositories(images: readonly ListedImage[]): Uint8Array {
  const repositories = new Map<string, Map<string, string>>()
  for (const { layers, names } of images) {
    for (const name of names) {
      const reference = parseReference(name)
      const last = layers.at(-1)
      if (reference.tag === undefined || last === undefined) continue
      const repository = familiarRepository(reference)
      const tags = repositories.get(repository) ?? new Map<string, string>()
      repositories.set(repository, tags.set(reference.tag, hexOf(last)))
    }
  }
  return encodeDocument(sorted(repositories, (tags) => sorted(tags, (layer) => layer)))
}

function sorted<T, R>(map: ReadonlyMap<string, T>, value: (one: T) => R): Record<string, R> {
  const keys = [...map.keys()].sort()
  return Object.fromEntries(keys.map((key) => [key, value(map.get(key)!)]))
}
