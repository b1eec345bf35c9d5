import { BaleError } from '#base'
import { type Digest, type ImageManifest, isIndexType, isManifestType, type ParsedManifest, parseManifest } from '#spec'
import { matchesPattern } from '../pattern/index.ts'
import type { BaseImages, ContentTypes, TagPolicy } from './rules.ts'

/** Digests of an image's layers, from the lowest. */
export type Chain = readonly Digest[]

/** About a manifest that comes into a repository. */
export interface ContentFacts {
  repository: string
  manifest: { bytes: Uint8Array; mediaType: string }
  /** All that may be about the repository. */
  policies: readonly TagPolicy[]
  /** The layers of an image that the policy names, of each of its platforms. */
  chains(policy: number, base: string): Promise<readonly Chain[]>
}

/** POLICY_VIOLATED, by the first policy that does not admit the manifest. */
export async function objectionToContent(facts: ContentFacts): Promise<BaleError | undefined> {
  const { repository, manifest } = facts
  const policies = facts.policies
    .filter((policy) => policy.kind === 'types' || policy.kind === 'base')
    .filter(({ pattern }) => matchesPattern(pattern, repository))
  if (policies.length === 0) return undefined
  const parsed = parseManifest(manifest.bytes, manifest.mediaType)
  for (const policy of policies) {
    const objection =
      policy.kind === 'types' ? objectionToTypes(policy, parsed) : await objectionToBase(facts, policy, parsed)
    if (!objection) continue
    return new BaleError('POLICY_VIOLATED', `policy ${policy.id} of ${policy.pattern} ${objection}`, {
      details: { repository, policy: policy.id, pattern: policy.pattern },
    })
  }
  return undefined
}

function objectionToTypes({ allow, block }: ContentTypes, parsed: ParsedManifest): string | undefined {
  for (const type of typesOf(parsed)) {
    if (isOneOf(block, type)) return `blocks the media type ${type}`
    if (allow.length > 0 && !isOneOf(allow, type)) return `does not allow the media type ${type}`
  }
  return undefined
}

const isOneOf = (globs: readonly string[], type: string) =>
  globs.some((glob) => matchesPattern(glob.replaceAll('*', '**').toLowerCase(), type.toLowerCase()))

/** Of the document, its artifact, its config and its layers. What an index lists was judged when it was pushed itself. */
function typesOf(parsed: ParsedManifest): Set<string> {
  const document = parsed.kind === 'index' ? parsed.index : parsed.manifest
  const parts = parsed.kind === 'index' ? parsed.index.manifests : [parsed.manifest.config, ...parsed.manifest.layers]
  const own = parts
    .map((part) => part.mediaType)
    .filter((type) => parsed.kind === 'manifest' || !(isManifestType(type) || isIndexType(type)))
  return new Set([document.mediaType, ...(document.artifactType === undefined ? [] : [document.artifactType]), ...own])
}

async function objectionToBase(
  { chains }: ContentFacts,
  { id, allow, block }: BaseImages & { id: number },
  parsed: ParsedManifest,
): Promise<string | undefined> {
  const layers = parsed.kind === 'manifest' ? imageLayers(parsed.manifest) : []
  if (layers.length === 0) return undefined
  const isBasedOn = async (base: string) =>
    (await chains(id, base)).some((chain) => chain.every((digest, index) => layers[index] === digest))
  for (const base of block) if (await isBasedOn(base)) return `blocks images based on ${base}`
  if (allow.length === 0) return undefined
  for (const base of allow) if (await isBasedOn(base)) return undefined
  return `allows images based on ${allow.join(' or ')} alone`
}

/** Those that a container's root file system is made of; signatures and attestations have others. */
export function imageLayers({ layers }: Pick<ImageManifest, 'layers'>): Chain {
  const isFileSystem = ({ mediaType }: { mediaType: string }) => /\.(?:image\.layer|image\.rootfs)\./.test(mediaType)
  return layers.some(isFileSystem) ? layers.map(({ digest }) => digest) : []
}
