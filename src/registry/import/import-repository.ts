import { isBaleError, mapLimited } from '#base'
import { digestOf } from '#blob'
import { algorithmOf, type Digest, MANIFEST_LIMIT } from '#spec'
import { describeManifest } from '../manifest/index.ts'
import type { ManifestObjection, MetaStore, NewManifest } from '../meta/index.ts'
import { type BlobImport, IMPORTER } from './blob-import.ts'
import type { DistributionTree, Tell, TreeRepository } from './distribution-tree.ts'
import { Unusable } from './unusable.ts'

interface Run {
  meta: MetaStore
  tree: DistributionTree
  blobs: BlobImport
  signal: AbortSignal | undefined
  dryRun: boolean
  skip: Tell
}

interface State extends Run {
  repository: TreeRepository
  /** What the tags of the source point to. */
  tags: Map<Digest, string[]>
  /** Manifests about which nothing is decided yet. */
  open: Set<Digest>
  taken: Set<Digest>
  counts: Counts
}

interface Counts {
  manifests: { all: number; new: number }
  tags: { all: number; new: number }
  /** That it links. */
  blobs: number
}

/** Blobs of a manifest that are copied at once. */
const AT_ONCE = 4

/** Takes over one repository: each manifest after its blobs and children and together with its tags, then the other blobs. */
export async function importRepository(run: Run, repository: TreeRepository): Promise<Counts> {
  const { skip, signal } = run
  const revisions = await repository.linked('manifest', skip)
  const tags = await tagsOf(repository, skip)
  const counts = { manifests: { all: 0, new: 0 }, tags: { all: 0, new: 0 }, blobs: 0 }
  const state: State = { ...run, repository, tags, open: new Set(revisions), taken: new Set(), counts }
  // A manifest cannot name one that names it: each round decides about at least one.
  while (state.open.size > 0) {
    for (const digest of state.open) {
      signal?.throwIfAborted()
      if ((await attempt(state, digest)) === 'decided') state.open.delete(digest)
    }
  }
  tellLostTags(state, new Set(revisions))
  await takeOtherBlobs(state)
  return counts
}

async function tagsOf(repository: TreeRepository, skip: Tell): Promise<Map<Digest, string[]>> {
  const tags = new Map<Digest, string[]>()
  for await (const { tag, digest } of repository.tags(skip)) {
    const known = tags.get(digest)
    if (known) known.push(tag)
    else tags.set(digest, [tag])
  }
  return tags
}

/** Undecided is one whose children are not decided yet. */
async function attempt(state: State, digest: Digest): Promise<'decided' | 'undecided'> {
  try {
    const manifest = await readManifest(state, digest)
    if (manifest.children.some((child) => state.open.has(child))) return 'undecided'
    await takeManifest(state, manifest)
    state.taken.add(digest)
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    state.skip(`${state.repository.name}@${digest}`, error.message)
  }
  return 'decided'
}

async function readManifest({ tree, repository }: State, digest: Digest): Promise<NewManifest> {
  await using file = await tree.openBlob(await repository.storedAs('manifest', digest))
  const bytes = await file.bytes(MANIFEST_LIMIT)
  const found = digestOf(bytes, algorithmOf(digest))
  if (found !== digest) throw new Unusable(`its bytes have the digest ${found}`)
  try {
    return describeManifest(bytes, { digest, tags: [], actor: IMPORTER })
  } catch (error) {
    if (!UNREADABLE.some((code) => isBaleError(error, code))) throw error
    throw new Unusable((error as Error).message, { cause: error })
  }
}

const UNREADABLE = ['INVALID_MANIFEST', 'INVALID_DIGEST', 'LIMIT_EXCEEDED'] as const

async function takeManifest(state: State, manifest: NewManifest): Promise<void> {
  const { meta, repository, counts, dryRun } = state
  const { digest } = manifest
  for (const child of manifest.children) await checkChild(state, child)
  const { signal } = state
  await mapLimited(distinct(manifest.blobs), AT_ONCE, (blob) => takeBlob(state, blob), { signal })
  const isThere = (await meta.findManifest(repository.name, { digest })) !== undefined
  const { has, lacks } = await compareTags(state, digest)
  let tagged = lacks.length
  if (!dryRun && (!isThere || lacks.length > 0)) {
    tagged = (await putWithTags(state, manifest, lacks)) ? lacks.length : await putTagByTag(state, manifest, lacks)
  }
  counts.manifests.all++
  counts.manifests.new += isThere ? 0 : 1
  counts.tags.all += has.length + tagged
  counts.tags.new += tagged
}

/** False when a policy keeps one of the tags where it is: then nothing is stored. */
async function putWithTags({ meta, repository }: State, manifest: NewManifest, tags: string[]): Promise<boolean> {
  try {
    const objection = await meta.putManifest(repository.name, { ...manifest, tags })
    if (objection) throw new Unusable(wordsOf(objection))
    return true
  } catch (error) {
    if (isBaleError(error, 'TAG_IMMUTABLE')) return false
    if (isBaleError(error, 'POLICY_VIOLATED')) throw new Unusable(error.message, { cause: error })
    throw error
  }
}

/** The manifest, and those of its tags that may be set here. Returns how many. */
async function putTagByTag(state: State, manifest: NewManifest, tags: string[]): Promise<number> {
  await putWithTags(state, manifest, [])
  let set = 0
  for (const tag of tags) {
    if (await putWithTags(state, manifest, [tag])) set++
    else state.skip(`${state.repository.name}:${tag}`, 'a policy keeps it where it is here')
  }
  return set
}

async function checkChild({ meta, repository, taken }: State, digest: Digest): Promise<void> {
  if (taken.has(digest) || (await meta.findManifest(repository.name, { digest }))) return
  throw new Unusable(wordsOf({ missing: digest }))
}

/** A layer may be named twice. */
function distinct(blobs: NewManifest['blobs']): NewManifest['blobs'] {
  return [...new Map(blobs.map((blob) => [`${blob.digest} ${blob.size} ${blob.optional}`, blob])).values()]
}

async function takeBlob(state: State, blob: NewManifest['blobs'][number]): Promise<void> {
  const { digest } = blob
  const size = await bringBlob(state, blob)
  if (size !== undefined && size !== blob.size) throw new Unusable(wordsOf({ wrongSize: digest, size }))
}

/** Undefined when a blob that may be missing cannot be brought. */
async function bringBlob(
  { blobs, repository }: State,
  blob: NewManifest['blobs'][number],
): Promise<number | undefined> {
  const { digest, optional } = blob
  try {
    return await blobs.bring(repository, digest)
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    if (optional) return undefined
    throw new Unusable(`it needs the blob ${digest}: ${error.message}`, { cause: error })
  }
}

/** Of the source's tags for a manifest, those that it has here and those that it is to get. Others' tags stay as they are. */
async function compareTags({ meta, repository, tags, skip }: State, digest: Digest) {
  const has: string[] = []
  const lacks: string[] = []
  for (const tag of tags.get(digest) ?? []) {
    const here = await meta.findTag(repository.name, tag)
    if (here?.digest === digest) has.push(tag)
    else if (!here || here.actor === IMPORTER) lacks.push(tag)
    else skip(`${repository.name}:${tag}`, `was set here by ${here.actor}, to ${here.digest}; the source has ${digest}`)
  }
  return { has, lacks }
}

function wordsOf(objection: ManifestObjection): string {
  if ('missing' in objection) return `it needs ${objection.missing}, which the repository does not have`
  return `it gives a wrong size for ${objection.wrongSize}, which has ${objection.size} bytes`
}

function tellLostTags({ repository, tags, taken, skip }: State, revisions: ReadonlySet<Digest>): void {
  for (const [digest, names] of tags) {
    if (taken.has(digest)) continue
    const reason = revisions.has(digest)
      ? `its manifest ${digest} was skipped`
      : `it points to ${digest}, which the repository does not have`
    for (const tag of names) skip(`${repository.name}:${tag}`, reason)
  }
}

/** Blobs that no manifest refers to. A damaged one has been told; they stay as long as those of an unfinished push. */
async function takeOtherBlobs({ blobs, repository, skip, signal, counts }: State): Promise<void> {
  for (const digest of await repository.linked('blob', skip)) {
    signal?.throwIfAborted()
    const known = blobs.isUnusable(digest)
    try {
      await blobs.bring(repository, digest)
      counts.blobs++
    } catch (error) {
      if (!(error instanceof Unusable)) throw error
      if (!known && !blobs.isUnusable(digest)) skip(`blob ${digest} of ${repository.name}`, error.message)
    }
  }
}
