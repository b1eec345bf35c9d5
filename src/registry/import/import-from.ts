import { isBaleError } from '#base'
import { decide } from '../decide/index.ts'
import type { MetaStore } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import type { Uploads } from '../uploads/index.ts'
import { BlobImport } from './blob-import.ts'
import { openDistributionTree, type TreeRepository } from './distribution-tree.ts'
import { importRepository } from './import-repository.ts'
import { Unusable } from './unusable.ts'

/** What an import tells while it works. */
export interface ImportOptions {
  signal?: AbortSignal
  /** Reads links and manifests and compares sizes, but changes nothing and hashes no blobs. */
  dryRun?: boolean
  /** Told of each thing that cannot be taken over (`team/web:1.0`, a digest, a path of the tree), and why. */
  skipped?(thing: string, reason: string): void
  /** Told of each repository when it is done: what it has now of the source. Waited for. */
  repository?(name: string, has: { manifests: Tally; tags: Tally }): Promise<void>
}

/** How many there are in both now, and how many of them came just now. */
export interface Tally {
  all: number
  new: number
}

/** What was taken over. Of a dry run: what would be. */
export interface Imported {
  repositories: number
  manifests: Tally
  tags: Tally
  blobs: Tally & { bytes: number }
  /** Things that could not be taken over. */
  skipped: number
}

interface ImportParts {
  meta: MetaStore
  objects: ObjectStore
  uploads: Uploads
  /** How long blobs stay that no manifest refers to. Milliseconds. */
  lease: number
  /** Of upstreams: what the source has below them is left out. */
  prefixes: readonly string[]
}

/**
 * Takes over the files of distribution (Debian: docker-registry) below `directory`: repositories, manifests, tags and blobs,
 * by what pushes do, so that the registry may be served meanwhile. What is there already is not copied again; nothing is
 * removed. A tag that somebody else has set here stays. The source should not change meanwhile: what is pushed to it is
 * taken over by the next run.
 */
export async function importFrom(
  parts: ImportParts,
  directory: string,
  options: ImportOptions = {},
): Promise<Imported> {
  await using tree = await openDistributionTree(directory)
  const { signal, dryRun = false, repository: done } = options
  const imported: Imported = {
    repositories: 0,
    manifests: { all: 0, new: 0 },
    tags: { all: 0, new: 0 },
    blobs: { all: 0, new: 0, bytes: 0 },
    skipped: 0,
  }
  const skip = (thing: string, reason: string) => {
    imported.skipped++
    options.skipped?.(thing, reason)
  }
  const blobs = new BlobImport({ ...parts, tree, signal, dryRun, skip })
  const run = { ...parts, tree, blobs, signal, dryRun, skip }
  const take = async (repository: TreeRepository) => {
    const refusal = await decide('anyone', 'place', { repository: repository.name, prefixes: parts.prefixes })
    if (refusal) throw new Unusable(refusal.message, { cause: refusal })
    const { manifests, tags, blobs } = await importRepository(run, repository)
    if (manifests.all + blobs === 0) return
    for (const [sum, one] of [[imported.manifests, manifests] as const, [imported.tags, tags] as const]) {
      sum.all += one.all
      sum.new += one.new
    }
    imported.repositories++
    // Nobody may be serving the registry, who would.
    if (!dryRun) await parts.meta.foldUsage()
    await done?.(repository.name, { manifests, tags })
  }
  for await (const repository of tree.repositories(skip)) {
    signal?.throwIfAborted()
    try {
      await take(repository)
    } catch (error) {
      if (!(error instanceof Unusable || isBaleError(error, 'REPOSITORY_MOVED'))) throw error
      skip(repository.name, error.message)
    }
  }
  return { ...imported, blobs: blobs.counted() }
}
