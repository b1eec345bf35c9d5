import { describe, type RawManifest } from '#image'
import { type Descriptor, encodeDocument, type ImageManifest, MediaType } from '#spec'

/** A manifest that refers to an image, with all that it refers to itself. */
export interface Attachment {
  readonly subject: Descriptor
  readonly manifest: RawManifest & { readonly manifest: ImageManifest }
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[]
}

/** What an attachment is made of. */
export interface AttachmentParts {
  subject: Descriptor
  artifactType: string
  layers: readonly { mediaType: string; bytes: Uint8Array; annotations?: Record<string, string> }[]
  /** Of the manifest; registries repeat them in the list of referrers. */
  annotations?: Record<string, string>
  /** Seconds since 1970, from SOURCE_DATE_EPOCH. Without it the manifest has no time: the same parts give the same bytes. */
  created?: number
}

/** Source: image-spec manifest.md, "Guidelines for Artifact Usage": an empty config, and the type beside it. */
export function makeAttachment({ subject, artifactType, layers, ...parts }: AttachmentParts): Attachment {
  const emptyConfig = new TextEncoder().encode('{}')
  const config = describe(emptyConfig, MediaType.ociEmpty)
  const described = layers.map(({ mediaType, bytes, annotations }) => ({
    descriptor: { ...describe(bytes, mediaType), ...(annotations && { annotations }) },
    bytes,
  }))
  const annotations: Record<string, string> = {
    ...(parts.created !== undefined && { [CREATED]: rfc3339(parts.created) }),
    ...parts.annotations,
  }
  const { mediaType, digest, size } = subject
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType,
    config,
    layers: described.map(({ descriptor }) => descriptor),
    subject: { mediaType, digest, size },
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
  const bytes = encodeDocument(manifest)
  const descriptor = {
    ...describe(bytes, manifest.mediaType),
    artifactType,
    ...(manifest.annotations && { annotations }),
  }
  return {
    subject: manifest.subject!,
    manifest: { descriptor, bytes, manifest },
    blobs: [{ descriptor: config, bytes: emptyConfig }, ...described],
  }
}

const CREATED = 'org.opencontainers.image.created'

function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
