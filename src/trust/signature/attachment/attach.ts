import { BaleError, type OperationOptions } from '#base'
import { streamOf } from '#blob'
import { describe, type ImageTarget, type RawManifest } from '#image'
import { type Descriptor, type Digest, encodeDocument, MediaType } from '#spec'
import type { AttachmentTarget } from './attachment-source.ts'
import type { Attachment } from './make-attachment.ts'
import { referrersTag, taggedManifest } from './tags.ts'

/**
 * Puts an attachment beside its image, and looks whether it is listed there. A registry without a referrers API does not
 * list it by itself: then the tag that clients read instead is written too (distribution-spec, "Referrers Tag
 * Schema"), and written again when somebody else wrote it meanwhile. May be repeated. The image need not be there yet.
 */
export async function attach(
  target: AttachmentTarget,
  { subject, manifest, blobs }: Attachment,
  options: OperationOptions = {},
): Promise<void> {
  for (const { descriptor, bytes } of blobs) await putSmallBlob(target, descriptor, bytes, options)
  await target.putManifest(plain(manifest.descriptor), manifest.bytes, options)
  for (let tries = 0; tries < TRIES; tries++) {
    const listed = await target.referrers(subject.digest, options)
    if (listed.some(({ digest }) => digest === manifest.descriptor.digest)) return
    await addToTag(target, subject.digest, manifest.descriptor, options)
  }
  throw new BaleError('REGISTRY_FAILED', `the registry does not list what was attached to ${subject.digest}`, {
    hint: 'the attachment is there under its digest; others may be attaching to the same image',
    details: { subject: subject.digest, attachment: manifest.descriptor.digest },
  })
}

/** More than others are likely to attach to the same image in the same second. */
const TRIES = 5

/** Writes a blob that is in memory, unless the place has it. */
export async function putSmallBlob(
  target: ImageTarget,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: OperationOptions = {},
): Promise<void> {
  if (await target.hold(descriptor, options)) return
  await target.putBlob(descriptor, async (offset) => streamOf(bytes.subarray(offset)), options)
}

async function addToTag(
  target: AttachmentTarget,
  subject: Digest,
  added: Descriptor,
  options: OperationOptions,
): Promise<void> {
  const tag = referrersTag(subject)
  const there = await taggedManifest(target, tag, options)
  if (there?.kind === 'manifest') {
    throw new BaleError('CONFLICT', `the tag ${tag} lists what is attached to the image, but points to an image here`)
  }
  const before = there?.index.manifests ?? []
  const list = indexOf([...before.filter(({ digest }) => digest !== added.digest), added])
  await target.putManifest(list.descriptor, list.bytes, options)
  await target.tag(tag, list, options)
}

function indexOf(manifests: readonly Descriptor[]): RawManifest {
  const bytes = encodeDocument({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
  return { descriptor: describe(bytes, MediaType.ociIndex), bytes }
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}
