import { isBaleError } from '#base'
import { createHasher } from '#blob'
import { algorithmOf, type Digest } from '#spec'
import type { MetaStore } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import { storeBlob, type Uploads } from '../uploads/index.ts'
import type { DistributionTree, Tell, TreeRepository } from './distribution-tree.ts'
import type { TreeFile } from './tree-directory.ts'
import { Unusable } from './unusable.ts'

/** Whose uploads, and whose tags, those of an import are. No user is called so: theirs are `user:NAME`. */
export const IMPORTER = 'import'

interface BlobParts {
  meta: MetaStore
  objects: ObjectStore
  uploads: Uploads
  lease: number
  tree: DistributionTree
  signal: AbortSignal | undefined
  dryRun: boolean
  skip: Tell
}

/** Brings blobs into repositories; what was found out about their bytes is remembered for the other ones that have them. */
export class BlobImport {
  readonly #parts: BlobParts
  /** What is in the registry, or would be. */
  readonly #taken = new Set<Digest>()
  /** Those whose bytes in the source were hashed in this run: only they are shown to another repository. */
  readonly #hashed = new Set<Digest>()
  readonly #unusable = new Map<Digest, string>()
  #new = 0
  #bytes = 0

  constructor(parts: BlobParts) {
    this.#parts = parts
  }

  counted(): { all: number; new: number; bytes: number } {
    return { all: this.#taken.size, new: this.#new, bytes: this.#bytes }
  }

  /** True when the bytes of the blob cannot be used, which has been told. */
  isUnusable(digest: Digest): boolean {
    return this.#unusable.has(digest)
  }

  /** Makes the repository hold a blob that the source's holds; its size. Unusable when that cannot be. */
  async bring(repository: TreeRepository, digest: Digest): Promise<number> {
    const there = await this.#whole(repository.name, digest)
    if (there !== undefined) return this.#took(digest, there, false)
    const stored = await repository.storedAs('blob', digest)
    const known = this.#unusable.get(digest)
    if (known !== undefined) throw new Unusable(known)
    try {
      await using file = await this.#parts.tree.openBlob(stored)
      const isNew = this.#parts.dryRun
        ? (await this.#elsewhere(digest, file.size)) === undefined
        : !(await this.#mount(repository.name, digest, file)) && (await this.#copy(repository.name, digest, file))
      return this.#took(digest, file.size, isNew)
    } catch (error) {
      if (error instanceof Unusable) {
        this.#unusable.set(digest, error.message)
        this.#parts.skip(`blob ${digest}`, error.message)
      }
      throw error
    }
  }

  #took(digest: Digest, size: number, isNew: boolean): number {
    if (this.#taken.has(digest)) return size
    this.#taken.add(digest)
    this.#bytes += size
    if (isNew) this.#new++
    return size
  }

  /** The size of a blob that the repository holds with all its bytes; it stays for the lease. */
  async #whole(repository: string, digest: Digest): Promise<number | undefined> {
    const { meta, objects, lease, dryRun } = this.#parts
    const blob = await meta.findBlob(repository, digest, dryRun ? {} : { lease })
    return blob && (await objects.size(blob.key)) === blob.size ? blob.size : undefined
  }

  /** A repository that holds the blob with all its bytes. */
  async #elsewhere(digest: Digest, size: number): Promise<string | undefined> {
    const [from] = await this.#parts.meta.repositoriesWith(digest, 1)
    return from !== undefined && (await this.#whole(from, digest)) === size ? from : undefined
  }

  /**
   * Shows a blob of another repository here, so that it is not copied. Not by its digest alone: whoever writes the source
   * must have its bytes, or a link that they made up would open what is none of their business.
   */
  async #mount(repository: string, digest: Digest, file: TreeFile): Promise<boolean> {
    const { meta, lease } = this.#parts
    const from = await this.#elsewhere(digest, file.size)
    if (from === undefined) return false
    if (!this.#hashed.has(digest)) await this.#hash(digest, file)
    return await meta.mountBlob(repository, digest, { from, lease })
  }

  async #hash(digest: Digest, file: TreeFile): Promise<void> {
    const hasher = createHasher(algorithmOf(digest))
    for await (const chunk of file.read(this.#parts.signal)) hasher.update(chunk)
    if (hasher.digest() !== digest) throw otherBytes(hasher.digest())
    this.#hashed.add(digest)
  }

  async #copy(repository: string, digest: Digest, file: TreeFile): Promise<true> {
    try {
      return await this.#push(repository, digest, file)
    } catch (error) {
      // An embedded registry that starts to be served meanwhile takes all uploads for those of a process that was killed.
      if (!isBaleError(error, 'LOCKED')) throw error
      return await this.#push(repository, digest, file)
    }
  }

  async #push(repository: string, digest: Digest, file: TreeFile): Promise<true> {
    const { uploads, signal } = this.#parts
    try {
      await storeBlob(uploads, { repository, principal: IMPORTER, digest }, async () => file.read(signal))
    } catch (error) {
      throw isBaleError(error, 'DIGEST_MISMATCH') ? otherBytes(String(error.details['got'])) : error
    }
    this.#hashed.add(digest)
    return true
  }
}

function otherBytes(digest: string): Unusable {
  return new Unusable(`its bytes have the digest ${digest}`)
}
