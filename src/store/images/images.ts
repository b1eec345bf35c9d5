import { BaleError } from '#base'
import { type Descriptor, type Digest, familiarName, type ImageName, type Platform, type Reference } from '#spec'
import type { Core } from '#store/content'
import { insertEvents } from '#store/events'
import {
  allNames,
  deleteName,
  descriptorOf,
  findDocument,
  type Repository,
  writeName,
  writeRepoDigest,
} from '#store/rows'
import { chooseImage, findImage, findTarget } from './find-image.ts'
import type { FoundImage } from './found-image.ts'
import { imageEvent, transferNames } from './image-event.ts'
import { allImages, imageById, partsHere, readIndex } from './image-table.ts'
import type { PruneImagesOptions, Removed, RemoveImageOptions } from './removed.ts'
import type { StoredImage } from './stored-image.ts'

export interface Images {
  /** Every image once (by ID), newest first; parts of an index that are no images (attestations) are left out. */
  list(): Promise<StoredImage[]>
  /** By config, manifest or index digest; an index resolves to its best match for `platform`. */
  get(digest: Digest, options?: { platform?: Platform }): Promise<StoredImage | undefined>
  /**
   * By a name (`latest` by default), or from what a user typed: full or familiar name, name@digest, manifest, index or config digest,
   * unique ID prefix. Throws IMAGE_NOT_FOUND with docker's message, AMBIGUOUS_ID, NO_MATCHING_PLATFORM.
   */
  find(text: string | Reference, options?: { platform?: Platform }): Promise<FoundImage>
  /** As `find`, the image alone. */
  resolve(text: string | Reference, options?: { platform?: Platform }): Promise<StoredImage>
  /** What a text refers to, manifest or index, without choosing an image of it. */
  target(text: string | Reference): Promise<Descriptor>
  /** All names and what they point to, sorted by their full text. */
  names(): Promise<{ name: ImageName; descriptor: Descriptor; tagged: number }[]>
  /**
   * Points a name at a manifest or index of the store; what it pointed to before stays, without this name. `tagged`
   * writes the event of a tag.
   */
  setName(name: ImageName, descriptor: Pick<Descriptor, 'digest'>, options?: { tagged?: boolean }): Promise<void>
  /** True when the name existed. Its manifest stays. */
  removeName(name: ImageName): Promise<boolean>
  /** Remembers that a repository has this manifest or index. */
  addRepoDigest(repository: Repository, digest: Digest): Promise<void>
  /**
   * Writes what was done to an image of the store as an event: `pull` and `push` with the reference that was used, `load`,
   * `save`, `import` and `create` (by a build or a commit) without one.
   */
  announce(action: string, target: Digest, reference?: Reference): Promise<void>
  /** docker's rmi: untags first, then deletes images without names, with everything nothing else needs. CONFLICT. */
  remove(text: string, options?: RemoveImageOptions): Promise<Removed>
  prune(options?: PruneImagesOptions): Promise<Removed>
}

export function createImages(core: Core): Images {
  const { database, clock } = core
  const images: Images = {
    list: async () => allImages(core),
    async get(digest, { platform } = {}) {
      const row = findDocument(core, digest)
      if (!row) return undefined
      return row.kind === 'config' ? imageById(core, digest) : chooseImage(core, row, platform)
    },
    find: async (text, { platform } = {}) => findImage(core, text, platform),
    resolve: async (text, { platform } = {}) => findImage(core, text, platform).image,
    target: async (text) => findTarget(core, text).target,
    names: async () =>
      allNames(core).flatMap(({ name, target, tagged }) => {
        const row = findDocument(core, target)
        return row ? [{ name, descriptor: descriptorOf(row), tagged }] : []
      }),
    async setName(name, { digest }, { tagged: isTag = false } = {}) {
      database.transaction(() => {
        const row = findDocument(core, digest)
        if (!row || row.kind === 'config') {
          throw new BaleError('MANIFEST_NOT_FOUND', `no manifest of the store has the digest ${digest}`)
        }
        writeName(core, name, digest)
        const index = readIndex(row)
        const tagged = index ? partsHere(core, index).map((part) => part.row.digest) : [digest]
        for (const one of tagged) database.run('UPDATE documents SET tagged = ? WHERE digest = ?', clock.now(), one)
        if (isTag) insertEvents(core, [imageEvent(core, 'tag', digest, { name: familiarName(name) })])
      })
    },
    removeName: async (name) => deleteName(core, name),
    addRepoDigest: async (repository, digest) => writeRepoDigest(core, repository, digest),
    async announce(action, target, reference) {
      const event = imageEvent(core, action, target, reference && transferNames(reference))
      database.unsynced(() => insertEvents(core, [event]))
    },
    remove: async (text, options = {}) => (await import('./remove-image.ts')).removeImage(core, text, options),
    prune: async (options = {}) => (await import('./remove-image.ts')).pruneImages(core, options),
  }
  return images
}
