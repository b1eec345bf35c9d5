import { createHash } from 'node:crypto'
import { BaleError } from '#base'
import { type Digest, familiarName, fullName, type ImageName, type RepoDigest, repositoryName, shortId } from '#spec'
import { type Core, sweep } from '#store/content'
import { insertEvents } from '#store/events'
import { dropDeadLeases } from '#store/leases'
import {
  type DocumentRow,
  deleteManifest,
  deleteName,
  deleteRepoDigest,
  findDocument,
  type ImageReference,
  indexesWith,
  isHeld,
  manifestsOf,
  type Pin,
  referencesOf,
  referencesTo,
} from '#store/rows'
import { chooseImage, findTarget, notFound } from './find-image.ts'
import { imageEvent } from './image-event.ts'
import { allImages, imageById, partsHere, readIndex } from './image-table.ts'
import type { PruneImagesOptions, RemovalRecord, Removed, RemoveImageOptions } from './removed.ts'

/** docker's rules, in docker's order and with its messages. Rows in one transaction, then files. */
export async function removeImage(core: Core, text: string, options: RemoveImageOptions): Promise<Removed> {
  dropDeadLeases(core.database, core.clock)
  const removal = new Removal(core, options.force ?? false)
  core.database.transaction(() => {
    removal.byText(text)
    removal.sweep()
  })
  return removal.finish()
}

export async function pruneImages(core: Core, { all = false, filter }: PruneImagesOptions): Promise<Removed> {
  dropDeadLeases(core.database, core.clock)
  const removal = new Removal(core, false)
  core.database.transaction(() => {
    for (const image of allImages(core)) {
      if (image.names.length > 0 && !all) continue
      if (removal.users(image.id).length > 0 || removal.isHeld(image.id) || filter?.(image) === false) continue
      removal.untag(referencesOf(core, image.id), image.id)
      removal.delete(image.id)
    }
    removal.sweep()
  })
  return removal.finish()
}

class Removal {
  readonly #core: Core
  readonly #force: boolean
  readonly #records: RemovalRecord[] = []
  readonly #candidates: Pin[] = []
  #sweep: ReturnType<typeof sweep> | undefined

  constructor(core: Core, force: boolean) {
    this.#core = core
    this.#force = force
  }

  byText(text: string): void {
    const core = this.#core
    const found = findTarget(core, text)
    const row = findDocument(core, found.target.digest)!
    const ids = imageIds(core, row)
    if (found.byId) {
      const [id] = ids
      if (id === undefined) throw notFound(text)
      this.#byId(id)
    } else this.#byName(text, found.name!, row, ids)
  }

  #byName(text: string, name: ImageName | RepoDigest, row: DocumentRow, ids: Digest[]): void {
    const core = this.#core
    if (!this.#force) for (const id of ids) this.#refuseLastName(text, id)
    const named = referencesTo(core, row.digest).find((reference) => fullName(reference.name) === fullName(name))
    // `repository@digest` may also name a tag of that repository: then it has no reference of its own.
    if (named) this.untag([named], ids[0] ?? row.digest)
    else this.#records.push({ untagged: familiarName(name) })
    if (named?.kind === 'tag') {
      // The last tag of a repository takes the repository's digests along.
      const left = referencesTo(core, row.digest).filter(
        ({ name }) => repositoryName(name) === repositoryName(named.name),
      )
      if (!left.some(({ kind }) => kind === 'tag')) this.untag(left, ids[0] ?? row.digest)
    }
    for (const id of ids) {
      if (referencesOf(core, id).length > 0) continue
      if (this.users(id).length > 0 && !this.#force) continue
      if (this.users(id).some(isRunning) || this.isHeld(id)) continue
      this.delete(id)
    }
    // An artifact, or an index without an image here.
    if (ids.length === 0 && referencesTo(core, row.digest).length === 0) this.#deleteDocument(row.digest)
  }

  #byId(id: Digest): void {
    const references = referencesOf(this.#core, id)
    const single = isSingle(references)
    this.#refuseInUse(id, { severalNames: !single })
    this.untag(references, id)
    this.delete(id)
  }

  /** Without its last name the image would dangle while a container uses it. */
  #refuseLastName(text: string, id: Digest): void {
    if (!isSingle(referencesOf(this.#core, id))) return
    const [user] = this.users(id)
    if (!user) return
    throw new BaleError(
      'CONFLICT',
      `conflict: unable to remove repository reference "${text}" (must force) - container ${user.id.slice(0, 12)} is using its referenced image ${shortId(id)}`,
      { next: { act: 'remove-container', names: [user.id.slice(0, 12)] } },
    )
  }

  #refuseInUse(id: Digest, { severalNames }: { severalNames: boolean }): void {
    const refuse = (how: 'cannot be forced' | 'must be forced', why: string) => {
      throw new BaleError('CONFLICT', `conflict: unable to delete ${shortId(id)} (${how}) - ${why}`)
    }
    const users = this.users(id)
    const running = users.find(isRunning)
    if (running) refuse('cannot be forced', `image is being used by running container ${running.id.slice(0, 12)}`)
    if (this.isHeld(id)) refuse('cannot be forced', 'image is being used by an operation that has not ended')
    if (this.#force) return
    if (users[0]) refuse('must be forced', `image is being used by stopped container ${users[0].id.slice(0, 12)}`)
    if (severalNames) refuse('must be forced', 'image is referenced in multiple repositories')
  }

  users(id: Digest): { id: string; state: string }[] {
    return this.#core.database.all('SELECT id, state FROM containers WHERE image = ? ORDER BY created', id)
  }

  /** True while an operation takes the image in, or reads it: without its manifests it would lose its layers. */
  isHeld(id: Digest): boolean {
    const manifests = manifestsOf(this.#core, id).map(({ digest }) => digest)
    return manifests.some((digest) => isHeld(this.#core, { kind: 'document', digest }))
  }

  /** Takes names from an image (its ID), or from what is none (its digest). */
  untag(references: readonly ImageReference[], id: Digest): void {
    const core = this.#core
    insertEvents(
      core,
      references.map(() => imageEvent(core, 'untag', id)),
    )
    for (const { kind, name } of references) {
      if (kind === 'tag') deleteName(core, name)
      else deleteRepoDigest(core, name)
      this.#records.push({ untagged: familiarName(name) })
    }
  }

  /** An image that has no reference left: its manifests, indexes that led only to it, and what nothing else needs. */
  delete(id: Digest): void {
    const core = this.#core
    const image = imageById(core, id)
    insertEvents(core, [imageEvent(core, 'delete', id)])
    const manifests = manifestsOf(core, id).map((row) => row.digest)
    const indexes = indexesWith(core, manifests)
    for (const digest of manifests) this.#deleteDocument(digest)
    for (const digest of indexes) this.#deleteIdleIndex(digest)
    this.#records.push({ deleted: id })
    const chain = image ? chainIds(image.config.rootfs.diff_ids) : []
    const still = new Set(allImages(core).flatMap((other) => chainIds(other.config.rootfs.diff_ids)))
    for (const link of chain.reverse()) if (!still.has(link)) this.#records.push({ deleted: link })
  }

  /** An index that nothing names and that has no image left here; its attestations go with it. */
  #deleteIdleIndex(digest: Digest): void {
    const core = this.#core
    const row = findDocument(core, digest)
    const index = row && readIndex(row)
    if (!index || referencesTo(core, digest).length > 0) return
    const parts = partsHere(core, index)
    if (parts.some(({ row: part }) => part.image !== null || part.kind === 'index')) return
    for (const { row: part } of parts) {
      const others = indexesWith(core, [part.digest]).filter((other) => other !== digest)
      if (others.length === 0 && referencesTo(core, part.digest).length === 0) this.#deleteDocument(part.digest)
    }
    const parents = indexesWith(core, [digest])
    this.#deleteDocument(digest)
    for (const parent of parents) this.#deleteIdleIndex(parent)
  }

  #deleteDocument(digest: Digest): void {
    this.#candidates.push(...deleteManifest(this.#core, digest))
  }

  /** The last step of the transaction. */
  sweep(): void {
    this.#sweep = sweep(this.#core, this.#candidates)
  }

  async finish(): Promise<Removed> {
    await this.#sweep?.finish()
    return { records: this.#records, freed: this.#sweep?.swept.freed ?? 0 }
  }
}

/** Every image that a manifest or index leads to; the one that would be chosen comes first. */
function imageIds(core: Core, row: DocumentRow): Digest[] {
  const index = readIndex(row)
  if (!index) return row.image ? [row.image] : []
  const first = chooseImage(core, row)?.id
  const all = partsHere(core, index).flatMap(({ row: part }) => imageIds(core, part))
  return [...new Set(first ? [first, ...all] : all)]
}

const RUNNING = ['running', 'paused', 'restarting']
const isRunning = ({ state }: { state: string }) => RUNNING.includes(state)

/** docker's isSingleReference: one tag at most, and digests of its repository only. */
function isSingle(references: readonly ImageReference[]): boolean {
  if (references.length <= 1) return true
  const tags = references.filter(({ kind }) => kind === 'tag')
  if (tags.length > 1) return false
  return new Set(references.map(({ name }) => repositoryName(name))).size === 1
}

/** Source: image-spec config.md, Layer ChainID. */
function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    const hash = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest
    chain.push(below ? hash(`${below} ${diffId}`) : diffId)
  }
  return chain
}
