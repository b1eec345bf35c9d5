import assert from 'node:assert/strict'
import { type TestOptions, test } from 'node:test'
import { isBaleError } from '#base'
import { artifactTypeOf, createMemoryPlace, type MemoryPlace, putImage, randomImage } from '#image'
import { type Descriptor, type Digest, type ImageManifest, parseManifest, referrersTag } from '#spec'
import { attach } from './attach.ts'
import type { AttachmentSource, AttachmentTarget } from './attachment-source.ts'
import { listAttachments } from './list-attachments.ts'
import { makeAttachment } from './make-attachment.ts'

/** A repository in memory, with a referrers API or as an old registry without. */
export function createMemoryAttachments(options: { api?: boolean } = {}): MemoryPlace & AttachmentSource {
  const place = createMemoryPlace()
  const fromTag = async (subject: Digest) => {
    try {
      const parsed = parseManifest((await place.resolve(referrersTag(subject))).bytes)
      return parsed.kind === 'index' ? parsed.index.manifests : []
    } catch (error) {
      if (isBaleError(error, 'MANIFEST_NOT_FOUND')) return []
      throw error
    }
  }
  const fromApi = (subject: Digest) =>
    [...place.manifests].flatMap(([digest, bytes]) => {
      const parsed = parseManifest(bytes)
      if (parsed.kind === 'index' || parsed.manifest.subject?.digest !== subject) return []
      return [listed(digest, bytes.byteLength, parsed.manifest)]
    })
  return { ...place, referrers: async (subject) => (options.api === false ? fromTag(subject) : fromApi(subject)) }
}

function listed(digest: Digest, size: number, manifest: ImageManifest): Descriptor {
  const { mediaType, annotations } = manifest
  return { mediaType, digest, size, artifactType: artifactTypeOf(manifest), ...(annotations && { annotations }) }
}

/** What every place of attachments promises, of whatever age its registry is. */
export function attachmentContract(
  name: string,
  open: () => Promise<{ place: AttachmentTarget } & AsyncDisposable>,
  options: TestOptions = {},
): void {
  test(
    `${name}: what is attached is listed with type and annotations, and comes back as it went`,
    options,
    async () => {
      await using opened = await open()
      const { place } = opened
      const image = await randomImage()
      await putImage(place, image, 'web')
      const subject = image.manifestDescriptor
      assert.deepEqual(await place.referrers(subject.digest), [])
      const made = ['first', 'second'].map((text) =>
        makeAttachment({
          subject,
          artifactType: 'application/spdx+json',
          layers: [{ mediaType: 'application/spdx+json', bytes: Buffer.from(text) }],
          annotations: { text },
        }),
      )
      for (const one of made) await attach(place, one)
      await attach(place, made[0]!)
      const found = await place.referrers(subject.digest)
      assert.deepEqual(
        found.map(({ digest }) => digest).sort(),
        made.map((one) => one.manifest.descriptor.digest).sort(),
      )
      for (const { artifactType, annotations } of found) {
        assert.equal(artifactType, 'application/spdx+json')
        assert.ok(['first', 'second'].includes(annotations?.['text'] ?? ''))
      }
      const { attached, omitted } = await listAttachments(subject, place)
      assert.equal(omitted, 0)
      assert.deepEqual(
        attached.map(({ kind }) => kind),
        ['sbom', 'sbom'],
      )
      const bytes = await Array.fromAsync(await place.blob(made[1]!.blobs[1]!.descriptor))
      assert.equal(Buffer.concat(bytes).toString(), 'second')
    },
  )
}
