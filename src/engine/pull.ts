import { isBaleError, type OperationOptions } from '#base'
import { copyImage, type RawManifest } from '#image'
import {
  DEFAULT_TAG,
  type Digest,
  familiarName,
  fullName,
  isIndexType,
  parsePlatform,
  parseReference,
  type Reference,
} from '#spec'
import type { Store, StoreOperation } from '#store'
import type { EngineContext } from './context/context.ts'
import { mustNameNoTag } from './must-name-no-tag.ts'
import { openRegistry } from './registries/open-registry.ts'
import type { Admission } from './trust/admission.ts'
import { openAdmission } from './trust/open-admission.ts'

/** Which image of a repository is pulled. */
export interface PullOptions extends OperationOptions {
  /** `linux/arm64`; this machine's by default. */
  platform?: string
  /** Every tag of the repository. */
  allTags?: boolean
}

/** An image that the store has now. */
export interface PulledImage {
  /** Full name: `docker.io/library/debian:12`. */
  name: string
  /** Of the index or manifest that the name refers to in the registry. */
  digest: Digest
  /** True when the store had the image under this name before. */
  unchanged: boolean
}

/** Fetches an image, or all tagged images of a repository, from its registry into the store. `opened`: the policy, if it was read before. */
export async function pullImage(
  context: EngineContext,
  name: string,
  options: PullOptions = {},
  opened?: Admission,
): Promise<PulledImage[]> {
  const reference = parseReference(name)
  if (options.allTags) mustNameNoTag(reference)
  const wanted = options.platform === undefined ? context.platform : parsePlatform(options.platform)
  const { signal, progress } = options
  const strictPlatform = options.platform !== undefined
  const copying = { signal, progress, platform: wanted, strictPlatform, imagesOnly: true }
  const store = await context.store()
  await using repository = await openRegistry(context, reference, { typed: name })
  await using intake = store.operation({ purpose: 'pull' })
  const references = options.allTags ? await allTags(reference, repository.tags({ signal })) : [withTag(reference)]
  const admission = opened ?? (await openAdmission(context))
  const pulled: PulledImage[] = []
  for (const one of references) {
    const label = one.digest ?? one.tag!
    // The name is resolved once, everything else is requested by digest: a moving tag has no effect.
    const found = await repository.resolve(label, { signal, progress })
    progress?.({ kind: 'image', phase: 'pulling', repository: one.repository, label })
    await admission?.pulled(one, found, repository, { signal, progress })
    const before = await currentTarget(store, one)
    const targetName = one.digest ? undefined : fullName(one)
    await copyImage(repository, intake, { ...copying, name: found, shownName: familiarName(one), targetName })
    await rememberOrigin(store, intake, one, found)
    await store.images.announce('pull', found.descriptor.digest, one)
    const unchanged = before !== undefined && before === (await currentTarget(store, one))
    const { digest } = found.descriptor
    progress?.({ kind: 'image', phase: 'pulled', name: familiarName(one), digest, unchanged })
    pulled.push({ name: fullName(one), digest, unchanged })
  }
  return pulled
}

/** A digest takes precedence over a tag. */
function withTag({ registry, repository, tag = DEFAULT_TAG, digest }: Reference): Reference {
  return digest ? { registry, repository, digest } : { registry, repository, tag }
}

async function allTags({ registry, repository }: Reference, tags: AsyncIterable<string>): Promise<Reference[]> {
  return (await Array.fromAsync(tags)).sort().map((tag) => ({ registry, repository, tag }))
}

/** What the name referred to before. */
async function currentTarget(store: Store, reference: Reference): Promise<Digest | undefined> {
  try {
    return (await store.images.target(reference)).digest
  } catch (error) {
    if (isBaleError(error, 'IMAGE_NOT_FOUND')) return undefined
    throw error
  }
}

/** RepoDigests records what the name referred to in the registry; an index is stored along with the one image pulled from it. */
async function rememberOrigin(
  store: Store,
  intake: StoreOperation,
  reference: Reference,
  { descriptor, bytes }: RawManifest,
): Promise<void> {
  if (isIndexType(descriptor.mediaType)) await intake.putManifest(descriptor, bytes)
  await store.images.addRepoDigest(reference, descriptor.digest)
}
