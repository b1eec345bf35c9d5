import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError } from '#base'
import { createMemoryPlace, describe, makeIndex, putImage, putIndex, randomImage } from '#image'
import { type Descriptor, type Digest, encodeDocument, MediaType } from '#spec'
import { openRepository } from '#transport'
import { noCredentials } from '#transport/credentials'
import { startDockerRegistry, withoutDockerRegistry } from '../../../../test/kit/docker-registry.ts'
import { startRegistry } from '../../../../test/kit/registry-client.ts'
import { attachmentContract, createMemoryAttachments } from './contract.ts'
import {
  type Attachment,
  type AttachmentParts,
  attach,
  attachmentTag,
  listAttachments,
  makeAttachment,
  withoutReferrers,
} from './index.ts'

const nothing = { [Symbol.asyncDispose]: async () => undefined }
attachmentContract('memory', async () => ({ ...nothing, place: createMemoryAttachments() }))
attachmentContract('memory without an API', async () => ({
  ...nothing,
  place: createMemoryAttachments({ api: false }),
}))
attachmentContract('a registry with the referrers API', async () => opened(await startRegistry({ anonymous: 'push' })))
attachmentContract(
  'a registry of 2015, without the API',
  async () => {
    const registry = await startDockerRegistry()
    return opened({ address: registry.host, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() })
  },
  { skip: withoutDockerRegistry() },
)

function opened(registry: { address: string } & AsyncDisposable) {
  const place = openRepository({ registry: registry.address, repository: 'team/web' }, { credentials: noCredentials })
  return {
    place,
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]()
      await registry[Symbol.asyncDispose]()
    },
  }
}

test('the same parts give the same bytes; a time is written only when it is given', () => {
  const subject: Descriptor = {
    mediaType: MediaType.ociManifest,
    digest: `sha256:${'a'.repeat(64)}` as Digest,
    size: 3,
  }
  const made = (more: Partial<AttachmentParts> = {}) => sbomOf(subject, more).manifest
  assert.equal(made().descriptor.digest, made().descriptor.digest)
  assert.doesNotMatch(Buffer.from(made().bytes).toString(), /created/)
  assert.equal(
    made({ created: 1_700_000_000 }).manifest.annotations?.['org.opencontainers.image.created'],
    '2023-11-14T22:13:20Z',
  )
})

test('two who attach at once to an image of an old registry are both listed', async () => {
  const place = createMemoryAttachments({ api: false })
  const image = await randomImage()
  await putImage(place, image)
  const made = ['a', 'b', 'c'].map((text) => sbomOf(image.manifestDescriptor, { annotations: { text } }))
  await Promise.all(made.map((one) => attach(place, one)))
  assert.equal((await place.referrers(image.manifestDescriptor.digest)).length, 3)
})

test('what another writer puts under the tag between a read and a write is not lost, nor is what it takes away', async () => {
  const place = createMemoryAttachments({ api: false })
  const image = await randomImage()
  await putImage(place, image)
  const subject = image.manifestDescriptor
  const [before, own, others] = ['before', 'own', 'others'].map((text) => sbomOf(subject, { annotations: { text } }))
  await attach(place, before!)
  let writes = 0
  const contested = {
    ...place,
    tag: async (name: string, manifest: Parameters<typeof place.tag>[1]) => {
      await place.tag(name, manifest)
      // Somebody who read the list before it had anything.
      const list = makeIndex([others!.manifest.descriptor])
      await place.putManifest(list.descriptor, list.bytes)
      if (writes++ === 0) await place.tag(name, list)
    },
  }
  await attach(contested, own!)
  const found = await place.referrers(subject.digest)
  assert.deepEqual(found.map(({ annotations }) => annotations?.['text']).sort(), ['before', 'others', 'own'])
  const endless = { ...contested, tag: async () => undefined }
  const late = sbomOf(subject, { annotations: { text: 'late' } })
  await assert.rejects(attach(endless, late), { code: 'CONFLICT', message: /changed by others all the time/ })
  // The last write counts as well.
  let ignored = 4
  const slow = {
    ...place,
    tag: async (...given: Parameters<typeof place.tag>) => (ignored-- > 0 ? undefined : place.tag(...given)),
  }
  await attach(slow, late)
  assert.equal((await place.referrers(subject.digest)).length, 4)
})

test('attaching fails when the registry never lists the attachment, and when the tag belongs to an image', async () => {
  const place = createMemoryAttachments({ api: false })
  const image = await randomImage()
  await putImage(place, image)
  const one = sbomOf(image.manifestDescriptor)
  const deaf = { ...place, referrers: async () => [] }
  await assert.rejects(attach(deaf, one), { code: 'REGISTRY_FAILED', message: /does not list what was attached/ })
  await putImage(place, image, `sha256-${image.manifestDescriptor.digest.slice(7)}`)
  await assert.rejects(attach(deaf, one), { code: 'CONFLICT' })
})

test('the tree shows referrers, what refers to those, tags of cosign, and attestations inside an index', async () => {
  const place = createMemoryAttachments()
  const images = [await randomImage({ seed: 1 }), await randomImage({ seed: 2 })]
  for (const image of images) await putImage(place, image)
  const provenance = await putManifest(place, 'application/vnd.in-toto+json', {
    'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1',
  })
  const index = makeIndex([
    ...images.map((image) => ({ ...image.manifestDescriptor, platform: image.platform })),
    {
      ...provenance,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': images[0]!.manifestDescriptor.digest,
      },
    },
  ])
  await place.putManifest(index.descriptor, index.bytes)
  const sbom = sbomOf(index.descriptor)
  await attach(place, sbom)
  await attach(place, signatureOf(sbom.manifest.descriptor))
  await attach(place, signatureOf(images[1]!.manifestDescriptor))
  const tagged = await putManifest(place, 'application/vnd.dev.cosign.simplesigning.v1+json')
  const raw = { descriptor: tagged, bytes: place.manifests.get(tagged.digest)! }
  await place.tag(attachmentTag(index.descriptor.digest, 'sig')!, raw)

  const tree = await listAttachments(index.descriptor, place)
  assert.deepEqual(
    tree.attached.map(({ kind, tag, artifactType, predicateType, about }) => [
      kind,
      !!tag,
      artifactType,
      predicateType,
      about,
    ]),
    [
      ['signature', true, 'application/vnd.dev.cosign.simplesigning.v1+json', undefined, undefined],
      ['sbom', false, 'application/spdx+json', undefined, undefined],
      [
        'attestation',
        false,
        'application/vnd.in-toto+json',
        'https://slsa.dev/provenance/v1',
        images[0]!.manifestDescriptor.digest,
      ],
    ],
  )
  assert.deepEqual(
    tree.attached[1]!.attached.map(({ kind }) => kind),
    ['signature'],
  )
  assert.deepEqual(tree.attached[1]!.layers, [sbom.blobs[1]!.descriptor])
  assert.deepEqual(
    tree.images.map(({ attached }) => attached.map(({ kind }) => kind)),
    [[], ['signature']],
  )
  assert.equal(tree.images[1]!.subject.digest, images[1]!.manifestDescriptor.digest)
})

test('of 10,000 referrers 256 are read, and how many are left out is said', async () => {
  const place = createMemoryAttachments()
  const image = await randomImage()
  await putImage(place, image)
  const one = sbomOf(image.manifestDescriptor)
  await attach(place, one)
  let reads = 0
  const flooded = {
    ...place,
    referrers: async (subject: Digest) =>
      subject === image.manifestDescriptor.digest ? Array<Descriptor>(10_000).fill(one.manifest.descriptor) : [],
    manifest: async (descriptor: Descriptor) => {
      reads++
      return place.manifest(descriptor)
    },
  }
  const tree = await listAttachments(image.manifestDescriptor, flooded)
  assert.equal(tree.attached.length, 256)
  assert.equal(tree.omitted, 9744)
  assert.equal(reads, 256)
})

test('an attachment that cannot be read is listed with the reason; a broken connection ends the listing', async () => {
  const place = createMemoryAttachments()
  const image = await randomImage()
  await putImage(place, image)
  const gone = { ...sbomOf(image.manifestDescriptor).manifest.descriptor }
  const damaged = { ...place, referrers: async (subject: Digest) => (subject === gone.digest ? [] : [gone]) }
  const { attached } = await listAttachments(image.manifestDescriptor, damaged)
  assert.equal(attached[0]!.kind, 'sbom')
  assert.match(attached[0]!.problem ?? '', /^no manifest has the digest sha256:/)
  const unplugged = {
    ...damaged,
    manifest: async () => {
      throw Object.assign(new Error('connection reset'), { code: 'ECONNRESET' })
    },
  }
  await assert.rejects(listAttachments(image.manifestDescriptor, unplugged), /connection reset/)
})

test('a list of attachments that is too long is told of, and the tags are still read', async () => {
  const place = createMemoryAttachments()
  const image = await randomImage()
  await putImage(place, image, attachmentTag(image.manifestDescriptor.digest, 'sig'))
  const endless = {
    ...place,
    referrers: async () => {
      throw new BaleError('LIMIT_EXCEEDED', 'manifest.manifests has more than 10000 entries (10001)')
    },
  }
  const { attached, problem } = await listAttachments(image.manifestDescriptor, endless)
  assert.equal(attached.length, 1)
  assert.match(problem ?? '', /more than 10000 entries/)
})

test('attachments that refer to one another in a circle end', async () => {
  const place = createMemoryAttachments()
  const image = await randomImage()
  await putImage(place, image)
  const one = sbomOf(image.manifestDescriptor)
  await attach(place, one)
  const circular = { ...place, referrers: async () => [one.manifest.descriptor] }
  const tree = await listAttachments(image.manifestDescriptor, circular)
  assert.equal(tree.attached[0]!.attached[0]!.attached[0]!.attached.length, 0)
  let reads = 0
  const wide = {
    ...place,
    referrers: async () => Array<Descriptor>(20).fill(one.manifest.descriptor),
    manifest: async (descriptor: Descriptor) => {
      reads++
      return place.manifest(descriptor)
    },
  }
  const { omitted } = await listAttachments(image.manifestDescriptor, wide)
  assert.equal(reads, 256)
  assert.ok(omitted > 0)
})

test('a place without referrers still finds the tags of cosign', async () => {
  const place = createMemoryPlace()
  const image = await randomImage()
  await putImage(place, image)
  await putImage(place, image, attachmentTag(image.manifestDescriptor.digest, 'sbom'))
  const { attached } = await listAttachments(image.manifestDescriptor, withoutReferrers(place))
  assert.deepEqual(
    attached.map(({ kind, tag }) => [kind, tag?.slice(-5)]),
    [['sbom', '.sbom']],
  )
})

test('a sha512 digest has no tag of cosign: it would be too long', async () => {
  assert.equal(attachmentTag(`sha512:${'a'.repeat(128)}` as Digest, 'sig'), undefined)
  const place = createMemoryAttachments()
  await putIndex(place, [await randomImage()])
  const subject = { mediaType: MediaType.ociManifest, digest: `sha512:${'a'.repeat(128)}` as Digest, size: 1 }
  assert.deepEqual((await listAttachments(subject, place)).attached, [])
})

function sbomOf(subject: Descriptor, more: Partial<AttachmentParts> = {}): Attachment {
  const layers = [{ mediaType: 'application/spdx+json', bytes: Buffer.from('{}') }]
  return makeAttachment({ subject, artifactType: 'application/spdx+json', layers, ...more })
}

function signatureOf(subject: Descriptor): Attachment {
  const layers = [{ mediaType: 'application/jose+json', bytes: Buffer.from('{}') }]
  return makeAttachment({ subject, artifactType: 'application/vnd.cncf.notary.signature', layers })
}

/** A manifest whose type is that of its only layer, as cosign and BuildKit write it. */
async function putManifest(
  place: ReturnType<typeof createMemoryAttachments>,
  mediaType: string,
  annotations?: Record<string, string>,
): Promise<Descriptor> {
  const layer = { ...describe(Buffer.from('{}'), mediaType), ...(annotations && { annotations }) }
  const config = describe(Buffer.from('{}'), MediaType.ociConfig)
  const bytes = encodeDocument({ schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [layer] })
  const descriptor = describe(bytes, MediaType.ociManifest)
  await place.putManifest(descriptor, bytes)
  return descriptor
}
