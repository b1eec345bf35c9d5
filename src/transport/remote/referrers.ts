import { BaleError, isBaleError, type OperationOptions } from '#base'
import { type Descriptor, type Digest, MediaType, parseManifest, referrersTag } from '#spec'
import type { Manifests } from './manifests.ts'
import type { Names } from './names.ts'
import { nextPage } from './pages.ts'
import type { Session } from './session.ts'

/** Source: distribution-spec, "Listing Referrers" and its fallback, the tag schema. */
export async function listReferrers(
  session: Session,
  names: Names,
  manifests: Manifests,
  digest: Digest,
  { artifactType, signal }: OperationOptions & { artifactType?: string } = {},
): Promise<Descriptor[]> {
  const found = (await fromApi(session, names, digest, signal)) ?? (await fromTag(manifests, digest, signal))
  // A registry may ignore a filter, so it is not asked for one.
  return artifactType === undefined ? found : found.filter((one) => one.artifactType === artifactType)
}

/** Undefined for a registry without the API. Pages are followed on the registry's own origin, and never one twice. */
async function fromApi(
  session: Session,
  names: Names,
  digest: Digest,
  signal?: AbortSignal,
): Promise<Descriptor[] | undefined> {
  const found: Descriptor[] = []
  const what = `referrers of ${names.written(digest)}`
  const asked = new Set<string>()
  for (let target: string | undefined = names.path(`referrers/${digest}`); target !== undefined; ) {
    if (asked.has(target) || asked.size === MOST_PAGES)
      throw new BaleError('REGISTRY_FAILED', `${session.registry.name} never ends the list of ${what}`)
    asked.add(target)
    const answer = await session.send({
      method: 'GET',
      target,
      headers: { accept: MediaType.ociIndex },
      scopes: names.pull,
      expect: asked.size === 1 ? [200, 400, 404, 405] : [200],
      what,
      signal,
    })
    if (asked.size === 1 && (answer.status !== 200 || answer.mediaType !== MediaType.ociIndex)) {
      await answer.discard()
      return undefined
    }
    const next = nextPage(answer)
    for (const one of entries(await answer.document(session.limits.manifestBytes, `the list of ${what}`))) {
      if (found.length === MOST_ENTRIES)
        throw new BaleError('LIMIT_EXCEEDED', `there are more than ${MOST_ENTRIES} ${what}`)
      found.push(one)
    }
    target = next
  }
  return found
}

/** Of up to 4 MiB each. */
const MOST_PAGES = 100
/** Of all pages together. */
const MOST_ENTRIES = 10_000

async function fromTag(manifests: Manifests, digest: Digest, signal?: AbortSignal): Promise<Descriptor[]> {
  try {
    const { bytes } = await manifests.resolve(referrersTag(digest), { signal })
    return entries(bytes)
  } catch (error) {
    if (isBaleError(error, 'MANIFEST_NOT_FOUND')) return []
    throw error
  }
}

function entries(bytes: Uint8Array): Descriptor[] {
  const parsed = parseManifest(bytes)
  if (parsed.kind === 'index') return parsed.index.manifests
  throw new BaleError('INVALID_MANIFEST', 'the list of referrers is not an index')
}
