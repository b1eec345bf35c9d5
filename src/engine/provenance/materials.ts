import { basename } from 'node:path'
import { isUrl, withoutSecrets } from '#base'
import type { RecordedStep } from '#build'
import {
  type Digest,
  familiarName,
  fullName,
  parseDigest,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '#spec'
import type { StoredImage } from '#store'
import type { Material } from '#trust/attestation'
import type { BuildAccount } from './build-account.ts'

/**
 * The images and files that a build took, each once: images by their names, then what came by URL. `context` is the address of
 * the build context. As with BuildKit, the digest of an image is that of what its name refers to in its registry, where
 * that is known.
 */
export function materialsOf(
  steps: readonly RecordedStep[],
  account: BuildAccount,
  context: string | undefined,
): Material[] {
  const images = steps.flatMap((step) => imageMaterial(step, account) ?? [])
  const addresses = [...(context === undefined ? [] : [{ url: context }]), ...steps.flatMap(fetchedBy)]
  const files = addresses.map(({ url, checksum }): Material => {
    const digest = account.fetched(url) ?? (checksum === undefined ? undefined : parseDigest(checksum))
    return { kind: 'url', url: withoutSecrets(url), digest }
  })
  return [...sortedOnce(images), ...sortedOnce(files)]
}

function sortedOnce(materials: readonly Material[]): Material[] {
  const byKey = new Map(materials.map((one) => [keyOf(one), one]))
  return [...byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one)
}

function keyOf(material: Material): string {
  if (material.kind === 'url') return material.url
  const { os, architecture, variant = '' } = material.platform
  const { kind } = material
  const name =
    kind === 'image' ? familiarName(material.image) : `${material.name}:${material.version}@${material.digest}`
  return `${name} ${os} ${architecture} ${variant}`
}

/** Addresses whose files a step adds, with the checksums that they must have. */
export function fetchedBy({ node }: RecordedStep): { url: string; checksum?: string }[] {
  if (node.operation === 'context') {
    const { place } = node.definition
    return place !== undefined && isUrl(place) ? [{ url: place }] : []
  }
  if (node.operation !== 'copy' || node.definition.kind !== 'ADD') return []
  const { sources, checksum } = node.definition
  return sources.filter(isUrl).map((url) => ({ url, checksum }))
}

/** The image that a step took; undefined for other steps. */
export function imageMaterial({ node }: RecordedStep, account: BuildAccount): Material | undefined {
  if (node.operation !== 'image') return undefined
  const { platform } = node
  const { reference: text } = node.definition
  const image = account.image(text, platform)
  if (!image) return undefined
  const named = namedImage(text, image)
  if (named) return { kind: 'image', image: named, platform, digest: digestIn(named, image) }
  return { kind: 'local-image', ...localName(text, image), platform, digest: image.descriptor.digest }
}

const LAYOUT = 'oci-layout://'

/** By the name in FROM, or by one that it has, when FROM has its ID; undefined for one that has none. */
function namedImage(text: string, image: StoredImage): Reference | undefined {
  if (text.startsWith(LAYOUT)) return undefined
  return isIdOf(text, image) ? image.names[0] : withDefaultTag(parseReference(text))
}

function isIdOf(text: string, { id, descriptor }: StoredImage): boolean {
  const hex = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1]
  return hex !== undefined && [id, descriptor.digest].some((digest) => digest.startsWith(`sha256:${hex}`))
}

/** The place of a directory is private: its last part and the tag are enough. */
function localName(text: string, { id }: StoredImage): { name: string; version: string } {
  if (!text.startsWith(LAYOUT)) return { name: 'image', version: id }
  const [place] = text.slice(LAYOUT.length).split('@') as [string]
  const [, directory = place, tag = 'latest'] = /^(.*):([A-Za-z0-9_][A-Za-z0-9._-]*)$/.exec(place) ?? []
  return { name: basename(directory), version: tag }
}

/** What the name has in its registry: an index, mostly. Of several that an image was in, none is preferred. */
function digestIn(name: Reference, { repoDigests, descriptor }: StoredImage): Digest {
  if (name.digest) return name.digest
  const known = repoDigests.filter((one) => repositoryName(one) === repositoryName(name))
  return known.length === 1 ? known[0]!.digest : descriptor.digest
}

/** `docker.io/library/debian:12@sha256:…`: an image as a step of LLB names it. */
export function pinnedName(material: Material | undefined): string | undefined {
  if (material === undefined || material.kind === 'url') return undefined
  if (material.kind === 'local-image') return `oci-layout://${material.name}:${material.version}@${material.digest}`
  const { digest: _, ...name } = material.image
  return `docker-image://${fullName(name)}@${material.digest}`
}
