import { BaleError, type OperationOptions } from '#base'
import { streamOf } from '#blob'
import { type ImageTarget, makeIndex } from '#image'
import { type Descriptor, type Digest, referrersTag } from '#spec'
import type { AttachmentTarget } from './attachment-source.ts'
import { keepListed } from './keep-listed.ts'
import type { Attachment } from './make-attachment.ts'
import { taggedManifest } from './tags.ts'

/**
 * Puts an attachment beside its image, and checks that it is listed there. A registry without a referrers API does not
 * list it by itself: then the tag that clients read instead is written too (distribution-spec, "Referrers Tag
 * Schema"), and what others wrote there meanwhile is kept. May be repeated. The image need not be there yet. Throws
 * REGISTRY_FAILED when it is not listed in the end, CONFLICT when the tag belongs to an image or others keep changing it.
 */
export async function attach(
  target: AttachmentTarget,
  { subject, manifest: { descriptor, bytes }, blobs }: Attachment,
  options: OperationOptions = {},
): Promise<void> {
  for (const blob of blobs) await putSmallBlob(target, blob.descriptor, blob.bytes, options)
  await target.putManifest(plain(descriptor), bytes, options)
  const isListed = async () =>
    (await target.referrers(subject.digest, options)).some(({ digest }) => digest === descriptor.digest)
  if (await isListed()) return
  await addToTag(target, subject.digest, descriptor, options)
  if (await isListed()) return
  throw new BaleError('REGISTRY_FAILED', `the registry does not list what was attached to ${subject.digest}`, {
    hint: 'the attachment is there under its digest',
    details: { subject: subject.digest, attachment: descriptor.digest },
  })
}

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
  const isKept = await keepListed(
    {
      read: () => listedBy(target, tag, options),
      async write(manifests) {
        const list = makeIndex(manifests)
        await target.putManifest(list.descriptor, list.bytes, options)
        await target.tag(tag, list, options)
      },
      isSame: (one, other) => one.digest === other.digest,
    },
    added,
  )
  if (isKept) return
  throw new BaleError('CONFLICT', `the tag ${tag} is changed by others all the time: the attachment is not listed`, {
    hint: 'it is there under its digest; try again',
    details: { attachment: added.digest },
  })
}

async function listedBy(target: AttachmentTarget, tag: string, options: OperationOptions): Promise<Descriptor[]> {
  const there = await taggedManifest(target, tag, options)
  if (there?.kind !== 'manifest') return there?.index.manifests ?? []
  throw new BaleError('CONFLICT', `the tag ${tag} should list what is attached to the image, but it is an image`)
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}
