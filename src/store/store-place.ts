import { BaleError } from '#base'
import { skipBytes, streamOf } from '#blob'
import type { ImageSource, ImageTarget, LocalFiles } from '#image'
import { DEFAULT_TAG, type Descriptor, type Digest, parseReference, withTag } from '#spec'
import { type Core, type Intake, putBlob, verifiedBlob, verifiedTar, verifyBytes } from '#store/content'
import { type Images, insertManifest } from '#store/images'
import { findBlob, findDocument, findLayer, isThere, isWhole, type Pin } from '#store/rows'

/** The store as a place that images come from. Names are full or familiar references. */
export type StoreSource = ImageSource & LocalFiles & Pick<ImageTarget, 'has'>

export function createStoreSource(core: Core, images: Images): StoreSource {
  return {
    async resolve(name) {
      if (name === undefined) throw new BaleError('IMAGE_NOT_FOUND', 'an image of the store needs a name')
      const descriptor = await images.target(name)
      return { descriptor, bytes: manifestBytes(core, descriptor) }
    },
    manifest: async (descriptor) => manifestBytes(core, descriptor),
    async blob({ digest }, { offset = 0 } = {}) {
      const row = findDocument(core, digest)
      if (row) return streamOf(row.bytes.subarray(offset))
      const blob = findBlob(core, digest)
      // A part cannot be checked: a reader that resumes in the middle checks the whole itself.
      if (blob) return offset > 0 ? core.blobs.read(digest, { start: offset }) : verifiedBlob(core, { digest, ...blob })
      const layer = findLayer(core, digest)
      if (layer) return skipBytes(verifiedTar(core, layer), offset)
      throw new BaleError('BLOB_NOT_FOUND', `no blob has the digest ${digest}`)
    },
    has: async ({ digest }, { diffId } = {}) => partsOf(core, digest, diffId) !== undefined,
    async localFile({ digest }) {
      const found = findBlob(core, digest)
      return found && { path: found.path, size: found.size, offset: 0 }
    },
  }
}

/** The store as a place that one operation writes images to. */
export function createStoreTarget(core: Intake, images: Images): Omit<ImageTarget, 'has'> {
  return {
    async hold({ digest }, { diffId } = {}) {
      if (!partsOf(core, digest, diffId)) return false
      // Checked again where no collection can intervene.
      return core.database.transaction(() => {
        const parts = partsOf(core, digest, diffId)
        if (parts) core.lease.hold(parts)
        return parts !== undefined
      })
    },
    putBlob: (descriptor, open, options) => putBlob(core, descriptor, open, options),
    async putManifest(descriptor, bytes) {
      insertManifest(core, descriptor, bytes)
    },
    async tag(name, { descriptor }) {
      const reference = parseReference(name)
      if (reference.digest) await images.addRepoDigest(reference, descriptor.digest)
      if (reference.digest && !reference.tag) return
      await images.setName(withTag(reference, reference.tag ?? DEFAULT_TAG), descriptor)
    },
  }
}

function manifestBytes(core: Core, { digest }: Descriptor): Uint8Array {
  const row = findDocument(core, digest)
  if (!row || row.kind === 'config') throw new BaleError('MANIFEST_NOT_FOUND', `no manifest has the digest ${digest}`)
  try {
    verifyBytes(row, row.bytes)
  } catch (error) {
    throw new BaleError('STORE_DAMAGED', `the manifest ${digest} is damaged in the store`, { cause: error })
  }
  return row.bytes
}

/** What of the store is this blob, manifest or index: all of it is here, or the answer is undefined. */
function partsOf(core: Core, digest: Digest, diffId: Digest | undefined): Pin[] | undefined {
  if (findDocument(core, digest)) return isWhole(core, digest) ? [{ kind: 'document', digest }] : undefined
  const parts: Pin[] = diffId === undefined ? [] : [{ kind: 'layer', digest: diffId }]
  if (diffId !== digest) parts.push(blobOrLayer(core, { kind: 'blob', digest }))
  return parts.every((part) => isThere(core, part)) ? parts : undefined
}

/** A layer requested by its digest alone, without diff ID, may be one whose blob is derived. */
function blobOrLayer(core: Core, pin: Pin): Pin {
  const asLayer: Pin = { kind: 'layer', digest: pin.digest }
  return !isThere(core, pin) && isThere(core, asLayer) ? asLayer : pin
}
