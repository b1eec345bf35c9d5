import { table } from '#base'
import type { Descriptor } from '#spec'
import { ArtifactType, isBundleType } from './media-types.ts'
import type { TagSuffix } from './tags.ts'

/** What an attachment is for. */
export type AttachmentKind = 'signature' | 'attestation' | 'sbom' | 'other'

/** The predicate of a signature of an image in a Sigstore bundle. Source: cosign 3. */
export const SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1'

const KINDS = table<AttachmentKind>({
  sig: 'signature',
  att: 'attestation',
  [ArtifactType.cosignSignature]: 'signature',
  [ArtifactType.notation]: 'signature',
  [ArtifactType.inToto]: 'attestation',
  [ArtifactType.dsseEnvelope]: 'attestation',
  sbom: 'sbom',
  'application/vnd.cyclonedx+json': 'sbom',
  'application/vnd.cyclonedx+xml': 'sbom',
  'application/spdx+json': 'sbom',
  'application/vnd.syft+json': 'sbom',
  'text/spdx': 'sbom',
  'text/spdx+json': 'sbom',
  'text/spdx+xml': 'sbom',
})

/** Kind and predicate type as type, annotations and tag tell them; the content may say something else. */
export function kindOf(facts: {
  artifactType: string
  annotations: Readonly<Record<string, string>>
  layers: readonly Descriptor[]
  suffix?: TagSuffix
}): { kind: AttachmentKind; predicateType?: string } {
  const { artifactType, annotations, layers, suffix } = facts
  if (isBundleType(artifactType)) return bundleKind(annotations)
  const predicateType = layers.map((layer) => layer.annotations?.['in-toto.io/predicate-type']).find(Boolean)
  if (predicateType !== undefined) return { kind: 'attestation', predicateType }
  return { kind: KINDS[suffix ?? artifactType] ?? KINDS[layers[0]?.mediaType ?? ''] ?? 'other' }
}

function bundleKind(annotations: Readonly<Record<string, string>>): { kind: AttachmentKind; predicateType?: string } {
  if (annotations['dev.sigstore.bundle.content'] === 'message-signature') return { kind: 'signature' }
  const predicateType = annotations['dev.sigstore.bundle.predicateType']
  return { kind: predicateType === SIGNATURE_PREDICATE ? 'signature' : 'attestation', predicateType }
}
