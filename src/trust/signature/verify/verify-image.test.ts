import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError } from '#base'
import { describe, putImage, type RandomImage, randomImage } from '#image'
import { type Descriptor, type Digest, encodeDocument, MediaType, parseManifest, parseReference } from '#spec'
import { createMemoryAttachments } from '../attachment/contract.ts'
import {
  ArtifactType,
  type Attachment,
  attach,
  attachmentTag,
  makeAttachment,
  SIGNATURE_PREDICATE,
} from '../attachment/index.ts'
import type { Requirements, TrustedKey } from '../claim/index.ts'
import { generateKeys, type KeyKind, readSigningKey, readVerificationKey, type SigningKey } from '../key/index.ts'
import { createSigner, type SignOptions } from '../sign/index.ts'
import { attachSimpleSignature } from '../simple/index.ts'
import { type Verification, verifyImage } from './index.ts'

const WEB = parseReference('registry.example/team/web')
const OTHER = parseReference('registry.example/other/web')
const SBOM = 'https://spdx.dev/Document'
const clock = { now: () => Date.parse('2026-05-01T00:00:00Z'), sleep: async () => undefined }

type Place = ReturnType<typeof createMemoryAttachments>

interface Scene {
  place: Place
  image: RandomImage
  subject: Descriptor
  key: SigningKey
  trusted: TrustedKey
}

async function scene(kind: KeyKind = 'ecdsa-p256', api = true): Promise<Scene> {
  const place = createMemoryAttachments({ api })
  const image = await randomImage()
  await putImage(place, image, '1')
  return { place, image, subject: image.manifestDescriptor, ...(await newKey(kind)) }
}

async function newKey(kind: KeyKind = 'ecdsa-p256'): Promise<{ key: SigningKey; trusted: TrustedKey }> {
  const { privateKey, publicKey } = await generateKeys(kind)
  const key = await readSigningKey(privateKey)
  return { key, trusted: { kind: 'key', name: 'release.pub', key: readVerificationKey(publicKey) } }
}

function verify(
  { place, subject, trusted }: Scene,
  more: Partial<Requirements> = {},
  repository = WEB,
): Promise<Verification> {
  return verifyImage(subject, place, { signers: [trusted], ...more }, { repository, clock })
}

async function signed(scene: Scene, options: Partial<SignOptions> = {}): Promise<Attachment> {
  const attachment = createSigner(scene.key).sign(scene.subject, { repository: WEB, ...options })
  await attach(scene.place, attachment)
  return attachment
}

/** A bundle signed with the scene's key, changed before it is attached. */
async function attachChanged(scene: Scene, change: (bundle: Bundle) => void, as = scene.subject): Promise<void> {
  const made = createSigner(scene.key).sign(as, { repository: WEB })
  const bundle = JSON.parse(Buffer.from(made.blobs[1]!.bytes).toString()) as Bundle
  change(bundle)
  await attachBytes(scene, encodeDocument(bundle))
}

async function attachBytes({ place, subject }: Scene, bytes: Uint8Array): Promise<void> {
  const layers = [{ mediaType: ArtifactType.bundle, bytes }]
  await attach(place, makeAttachment({ subject, artifactType: ArtifactType.bundle, layers }))
}

interface Bundle {
  mediaType: string
  verificationMaterial: { publicKey?: { hint: string }; [more: string]: unknown }
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] }
  [more: string]: unknown
}

/** The bundle of a statement that the key really signed. */
function bundleOf(key: SigningKey, payload: string, payloadType: string = ArtifactType.inToto): Bundle {
  const encoded = Buffer.from(payload)
  const pae = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${encoded.length} `), encoded])
  return {
    mediaType: ArtifactType.bundle,
    verificationMaterial: { publicKey: { hint: key.public.hint } },
    dsseEnvelope: {
      payload: encoded.toString('base64'),
      payloadType,
      signatures: [{ sig: Buffer.from(key.sign(pae)).toString('base64') }],
    },
  }
}

function statement(digest: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: digest.slice(7) } }],
    predicateType: SIGNATURE_PREDICATE,
    predicate: {},
    ...more,
  })
}

/** The only reason of a verification that must have failed. */
async function refusal(verification: Promise<Verification>): Promise<string> {
  const { verified, refused } = await verification
  assert.deepEqual(verified, [])
  assert.equal(refused.length, 1, JSON.stringify(refused))
  return refused[0]!.reason
}

for (const kind of ['ecdsa-p256', 'ed25519'] as const) {
  for (const api of [true, false]) {
    test(`a bundle of a ${kind} key counts, ${api ? 'with' : 'without'} a referrers API`, async () => {
      const one = await scene(kind, api)
      const attachment = await signed(one, { annotations: { build: '7' }, created: 1_770_000_000 })
      const { verified, refused, subject } = await verify(one)
      assert.deepEqual(refused, [])
      assert.equal(subject, one.subject.digest)
      assert.equal(verified.length, 1)
      const { by, who, form, signedAt, annotations, repositories, predicateType, ...rest } = verified[0]!
      assert.deepEqual(by, [one.trusted])
      assert.equal(who, `key SHA256:${one.key.public.hint}`)
      assert.deepEqual([form, predicateType], ['bundle', SIGNATURE_PREDICATE])
      assert.equal(signedAt?.toISOString(), '2026-02-02T02:40:00.000Z')
      assert.equal(annotations['build'], '7')
      assert.deepEqual(repositories, ['registry.example/team/web'])
      assert.equal(rest.attachment, attachment.manifest.descriptor.digest)
    })
  }

  test(`a signature of cosign's old form with a ${kind} key counts, beside another one under the same tag`, async () => {
    const one = await scene(kind)
    const stranger = await newKey(kind)
    for (const key of [stranger.key, one.key]) {
      const made = createSigner(key).signSimple(one.subject, {
        repository: WEB,
        annotations: { build: '7' },
        created: 1_770_000_000,
      })
      await attachSimpleSignature(one.place, made)
      if (kind === 'ed25519') await attachSimpleSignature(one.place, made)
    }
    const tag = attachmentTag(one.subject.digest, 'sig')!
    const parsed = parseManifest((await one.place.resolve(tag)).bytes)
    assert.equal(parsed.kind === 'manifest' && parsed.manifest.layers.length, 2)
    const { verified, refused } = await verify(one)
    assert.deepEqual(
      refused.map(({ form, reason }) => [form, reason]),
      [['simple', 'was not made with a trusted key over this content']],
    )
    assert.deepEqual(
      verified.map(({ form, by, annotations }) => [form, by, annotations]),
      [['simple', [one.trusted], { build: '7' }]],
    )
    assert.equal(verified[0]!.signedAt?.getTime(), 1_770_000_000_000)
  })

  test(`a signature of another ${kind} key does not count, whatever key it names`, async () => {
    const one = await scene(kind)
    const stranger = await newKey(kind)
    await signed({ ...one, key: stranger.key })
    assert.match(await refusal(verify(one)), /^was not made with a trusted key over this content \(it names SHA256:/)
    const other = await scene(kind)
    await attachChanged({ ...other, key: stranger.key }, (bundle) => {
      bundle.verificationMaterial.publicKey!.hint = other.key.public.hint
    })
    assert.match(await refusal(verify(other)), /^does not fit: it names release\.pub, but was not made with it/)
  })

  test(`a ${kind} signature does not count for a key of the other kind`, async () => {
    const one = await scene(kind)
    const { trusted } = await newKey(kind === 'ed25519' ? 'ecdsa-p256' : 'ed25519')
    await signed(one)
    await attachSimpleSignature(one.place, createSigner(one.key).signSimple(one.subject, { repository: WEB }))
    const { verified, refused } = await verify({ ...one, trusted })
    assert.deepEqual([verified.length, refused.length], [0, 2])
  })
}

test('the documents are what cosign 3 writes', async () => {
  const one = await scene('ed25519')
  const attachment = createSigner(one.key).sign(one.subject, { repository: WEB, created: 1_700_000_000 })
  const { manifest } = attachment.manifest
  assert.equal(manifest.artifactType, 'application/vnd.dev.sigstore.bundle.v0.3+json')
  assert.equal(manifest.config.mediaType, 'application/vnd.oci.empty.v1+json')
  assert.deepEqual(manifest.annotations, {
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1',
  })
  const bundle = JSON.parse(Buffer.from(attachment.blobs[1]!.bytes).toString()) as Bundle
  assert.deepEqual(bundle.verificationMaterial, { publicKey: { hint: one.key.public.hint } })
  assert.equal(bundle.dsseEnvelope.payloadType, 'application/vnd.in-toto+json')
  assert.deepEqual(JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()), {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      {
        name: 'registry.example/team/web',
        digest: { sha256: one.subject.digest.slice(7) },
        annotations: { 'org.opencontainers.image.created': '2023-11-14T22:13:20.000Z' },
      },
    ],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  })
  const again = createSigner(one.key).sign(one.subject, { repository: WEB, created: 1_700_000_000 })
  assert.equal(again.manifest.descriptor.digest, attachment.manifest.descriptor.digest)
  const { payload, layer } = createSigner(one.key).signSimple(one.subject, { repository: WEB })
  assert.equal(
    Buffer.from(payload).toString(),
    '{"critical":{"identity":{"docker-reference":"registry.example/team/web"},"image":{"docker-manifest-digest":"' +
      `${one.subject.digest}"},"type":"cosign container image signature"},"optional":null}`,
  )
  assert.equal(layer.mediaType, 'application/vnd.dev.cosign.simplesigning.v1+json')
})

test('an image without a signature has nobody verified and nothing refused', async () => {
  assert.deepEqual(await verify(await scene()), { subject: (await scene()).subject.digest, verified: [], refused: [] })
})

test('signatures of the old form that are made at once are all kept', async () => {
  const one = await scene()
  const made = ['a', 'b', 'c'].map((text) =>
    createSigner(one.key).signSimple(one.subject, { repository: WEB, annotations: { text } }),
  )
  await Promise.all(made.map((signature) => attachSimpleSignature(one.place, signature)))
  const { verified } = await verify(one)
  assert.deepEqual(verified.map(({ annotations }) => annotations['text']).sort(), ['a', 'b', 'c'])
  const deaf = { ...one.place, tag: async () => undefined }
  const late = createSigner(one.key).signSimple(one.subject, { repository: WEB, annotations: { text: 'd' } })
  await assert.rejects(attachSimpleSignature(deaf, late), { code: 'CONFLICT', message: /was not added/ })
})

test('S01 a tampered payload, signature or type is refused', async () => {
  const changes: ((bundle: Bundle) => void)[] = [
    ({ dsseEnvelope }) => {
      const text = Buffer.from(dsseEnvelope.payload, 'base64').toString().replace('team/web', 'evil/web')
      dsseEnvelope.payload = Buffer.from(text).toString('base64')
    },
    ({ dsseEnvelope }) => {
      const bytes = Buffer.from(dsseEnvelope.signatures[0]!.sig, 'base64')
      bytes[bytes.length - 1]! ^= 1
      dsseEnvelope.signatures[0]!.sig = bytes.toString('base64')
    },
    ({ dsseEnvelope }) => (dsseEnvelope.payloadType = 'application/vnd.in-toto+jsom'),
    ({ dsseEnvelope }) => (dsseEnvelope.signatures[0]!.sig = 'AAAA'),
  ]
  for (const change of changes) {
    const one = await scene()
    await attachChanged(one, change)
    assert.match(
      await refusal(verify(one)),
      /^does not fit: it names release\.pub, but was not made with it over this content$/,
    )
  }
  const one = await scene()
  const simple = createSigner(one.key).signSimple(one.subject, { repository: WEB })
  const text = Buffer.from(simple.payload).toString().replace('team/web', 'evil/web')
  const layer = { ...describe(Buffer.from(text), simple.layer.mediaType), annotations: simple.layer.annotations }
  await attachSimpleSignature(one.place, { ...simple, payload: Buffer.from(text), layer })
  assert.match(await refusal(verify(one)), /^was not made with a trusted key over this content$/)
})

test('S01 a signature of another digest is refused, in both forms', async () => {
  const one = await scene()
  const other = await randomImage({ seed: 9 })
  await attachChanged(one, () => undefined, other.manifestDescriptor)
  assert.match(
    await refusal(verify(one)),
    new RegExp(`^is about ${other.manifestDescriptor.digest}, not about ${one.subject.digest}$`),
  )
  const two = await scene()
  const simple = createSigner(two.key).signSimple(other.manifestDescriptor, { repository: WEB })
  await attachSimpleSignature(two.place, { ...simple, subject: two.subject })
  assert.match(await refusal(verify(two)), new RegExp(`^is about ${other.manifestDescriptor.digest}, not about `))
})

test('S01 a signature moved to another repository with its image is refused there, unless that is allowed', async () => {
  const bundle = await scene()
  await signed(bundle)
  const simple = await scene()
  await attachSimpleSignature(simple.place, createSigner(simple.key).signSimple(simple.subject, { repository: WEB }))
  for (const one of [bundle, simple]) {
    assert.equal((await verify(one)).verified.length, 1)
    assert.match(
      await refusal(verify(one, {}, OTHER)),
      /^was made for registry\.example\/team\/web, not for registry\.example\/other\/web$/,
    )
    assert.equal((await verify(one, { repository: 'any' }, OTHER)).verified.length, 1)
    assert.equal(
      (await verifyImage(one.subject, one.place, { signers: [one.trusted] }, { repository: undefined, clock })).verified
        .length,
      0,
    )
  }
})

test('a bundle of cosign names no repository: it counts everywhere, unless a named one is required', async () => {
  const one = await scene()
  await attachBytes(one, encodeDocument(bundleOf(one.key, statement(one.subject.digest))))
  assert.equal((await verify(one)).verified.length, 1)
  assert.equal((await verify(one, {}, OTHER)).verified.length, 1)
  assert.match(await refusal(verify(one, { repository: 'named' })), /^names no repository, and one that names /)
  const hub = await scene()
  const names = statement(hub.subject.digest, {
    subject: [{ name: 'index.docker.io/team/web', digest: { sha256: hub.subject.digest.slice(7) } }],
  })
  await attachBytes(hub, encodeDocument(bundleOf(hub.key, names)))
  assert.equal((await verify(hub, { repository: 'named' }, parseReference('team/web'))).verified.length, 1)
})

test('the name of a subject with another digest binds nothing', async () => {
  const one = await scene()
  const subjects = [
    { name: 'registry.example/team/web', digest: { sha256: 'b'.repeat(64) } },
    { name: 'registry.example/other/web', digest: { sha256: one.subject.digest.slice(7) } },
  ]
  await attachBytes(one, encodeDocument(bundleOf(one.key, statement(one.subject.digest, { subject: subjects }))))
  assert.match(
    await refusal(verify(one)),
    /^was made for registry\.example\/other\/web, not for registry\.example\/team\/web$/,
  )
})

test('S04 a tag that is rolled back to an older signed image passes by its digest, and is refused by the age of its signature', async () => {
  const one = await scene()
  await signed(one, { created: Date.parse('2025-01-01T00:00:00Z') / 1000 })
  assert.equal((await verify(one)).verified.length, 1)
  const since = new Date('2026-01-01T00:00:00Z')
  assert.match(
    await refusal(verify(one, { notOlderThan: since })),
    /^was made at 2025-01-01T00:00:00Z, and none before 2026-01-01/,
  )
  await signed(one, { created: Date.parse('2026-02-01T00:00:00Z') / 1000 })
  assert.equal((await verify(one, { notOlderThan: since })).verified.length, 1)
  const without = await scene()
  await signed(without)
  assert.match(await refusal(verify(without, { notOlderThan: since })), /^does not say when it was made/)
})

test('a statement of another type is no signature, and a signature no attestation', async () => {
  const one = await scene()
  await attach(one.place, createSigner(one.key).attest(one.subject, SBOM, { name: 'web' }, { repository: WEB }))
  assert.deepEqual(await verify(one), { subject: one.subject.digest, verified: [], refused: [] })
  const { verified } = await verify(one, { predicateType: SBOM })
  assert.deepEqual(
    verified.map(({ predicate, predicateType }) => [predicate, predicateType]),
    [[{ name: 'web' }, SBOM]],
  )

  // Where the list says nothing, or something else, of what is inside.
  await attachBytes(one, encodeDocument(bundleOf(one.key, statement(one.subject.digest, { predicateType: SBOM }))))
  assert.equal(
    await refusal(verify(one)),
    `is a statement of the type ${SBOM}, not of https://sigstore.dev/cosign/sign/v1`,
  )
  const two = await scene()
  await signed(two)
  assert.deepEqual((await verify(two, { predicateType: SBOM })).verified, [])
})

test('another payload type under a valid signature is refused', async () => {
  for (const type of ['application/json', 'application/vnd.cncf.notary.payload.v1+json', '']) {
    const one = await scene()
    await attachBytes(one, encodeDocument(bundleOf(one.key, statement(one.subject.digest), type)))
    assert.match(await refusal(verify(one)), /^is over .*, not over a statement of in-toto$/, type)
  }
  const old = await scene()
  const simple = createSigner(old.key).signSimple(old.subject, { repository: WEB })
  await attachBytes(old, encodeDocument(bundleOf(old.key, Buffer.from(simple.payload).toString())))
  assert.match(await refusal(verify(old)), /^holds something other than a statement of in-toto \(_type\)$/)
  const statementAsSimple = await scene()
  const payload = Buffer.from(statement(statementAsSimple.subject.digest))
  const annotations = {
    'dev.cosignproject.cosign/signature': Buffer.from(statementAsSimple.key.sign(payload)).toString('base64'),
  }
  await attachSimpleSignature(statementAsSimple.place, {
    subject: statementAsSimple.subject,
    payload,
    layer: { ...describe(payload, ArtifactType.simpleSigning), annotations },
  })
  assert.match(
    await refusal(verify(statementAsSimple)),
    /^holds something other than a payload of cosign \(critical\)$/,
  )
})

test('an envelope with two signatures, or none, is refused although one of them fits', async () => {
  const one = await scene()
  await attachChanged(one, ({ dsseEnvelope }) => dsseEnvelope.signatures.push({ sig: 'AAAA' }))
  assert.equal(await refusal(verify(one)), 'has 2 signatures; a bundle has one')
  const two = await scene()
  await attachChanged(two, ({ dsseEnvelope }) => {
    dsseEnvelope.signatures = []
  })
  assert.equal(await refusal(verify(two)), 'has 0 signatures; a bundle has one')
})

test('duplicate members are refused in bundle, statement and payload, since readers differ in which they take', async () => {
  const twice = async (bytes: (key: SigningKey, digest: Digest) => Uint8Array) => {
    const one = await scene()
    await attachBytes(one, bytes(one.key, one.subject.digest))
    return refusal(verify(one))
  }
  assert.match(
    await twice((key, digest) => {
      const text = JSON.stringify(bundleOf(key, statement(digest)))
      return Buffer.from(text.replace('"payload":', '"payload":"AAAA","payload":'))
    }),
    /^the bundle is not valid: the key "payload" appears twice$/,
  )
  assert.match(
    await twice((key, digest) =>
      encodeDocument(bundleOf(key, statement(digest).replace('"subject":', '"subject":[],"subject":'))),
    ),
    /^its statement is not valid: the key "subject" appears twice$/,
  )
  const one = await scene()
  const made = createSigner(one.key).signSimple(one.subject, { repository: WEB })
  const payload = Buffer.from(
    Buffer.from(made.payload).toString().replace('"optional":', '"optional":null,"optional":'),
  )
  const annotations = { 'dev.cosignproject.cosign/signature': Buffer.from(one.key.sign(payload)).toString('base64') }
  await attachSimpleSignature(one.place, {
    ...made,
    payload,
    layer: { ...describe(payload, made.layer.mediaType), annotations },
  })
  assert.match(await refusal(verify(one)), /^its payload is not valid: the key "optional" appears twice$/)
})

test('what is no bundle, or a damaged one, is refused with the reason and hides no other signature', async () => {
  const one = await scene()
  const bundles: unknown[] = [
    null,
    [],
    'text',
    {},
    { mediaType: ArtifactType.bundle },
    { ...bundleOf(one.key, statement(one.subject.digest)), mediaType: 'text/plain' },
    { ...bundleOf(one.key, statement(one.subject.digest)), verificationMaterial: {} },
    { ...bundleOf(one.key, statement(one.subject.digest)), dsseEnvelope: null },
    { ...bundleOf(one.key, statement(one.subject.digest)), dsseEnvelope: { payload: 7, signatures: 'x' } },
    {
      ...bundleOf(one.key, statement(one.subject.digest)),
      verificationMaterial: { certificate: { rawBytes: 'AAAA' } },
    },
    {
      ...bundleOf(one.key, statement(one.subject.digest)),
      dsseEnvelope: undefined,
      messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' },
    },
    { ...bundleOf(one.key, statement(one.subject.digest)), __proto__: { x: 1 } },
    JSON.parse('{"__proto__":{"mediaType":"x"},"constructor":{"prototype":{}}}'),
  ]
  for (const bundle of bundles) await attachBytes(one, encodeDocument(bundle))
  await attachBytes(one, Buffer.from('{"mediaType":'))
  await attachBytes(one, Buffer.from([0xff, 0xfe]))
  await signed(one)
  const { verified, refused } = await verify(one)
  // The one with members of a prototype is a good bundle: JSON has no prototypes.
  assert.equal(verified.length, 2)
  assert.equal(refused.length, bundles.length + 1)
  for (const { reason, attachment, form } of refused) {
    assert.ok(reason.length > 10 && reason.length < 400, reason)
    assert.ok(attachment && form === 'bundle')
  }
  assert.equal(({} as { mediaType?: string }).mediaType, undefined)
})

test('times and log entries of a bundle do not spoil the signature of a key, and many of them are not looked at', async () => {
  const one = await scene()
  await attachChanged(one, (bundle) => {
    bundle.verificationMaterial['timestampVerificationData'] = { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] }
  })
  assert.equal((await verify(one)).verified.length, 1)
  const many = await scene()
  await attachChanged(many, (bundle) => {
    bundle.verificationMaterial['tlogEntries'] = Array(9).fill({})
  })
  assert.equal(await refusal(verify(many)), 'has too many log entries or times')
  const large = await scene()
  await attachChanged(large, (bundle) => {
    bundle.verificationMaterial['tlogEntries'] = [{ canonicalizedBody: 'A'.repeat(200_000) }]
  })
  assert.equal(await refusal(verify(large)), 'has too large certificates or log entries')
})

test('S03 huge and deep JSON is refused before it is parsed, and a size that lies is found out', async () => {
  const one = await scene()
  const padded = Buffer.concat([
    encodeDocument(bundleOf(one.key, statement(one.subject.digest))),
    Buffer.alloc(2 << 20, 0x20),
  ])
  await attachBytes(one, padded)
  assert.match(await refusal(verify(one)), /^is too large: \d+ bytes, and at most 1048576 are read$/)
  const deep = await scene()
  await attachBytes(deep, Buffer.from('['.repeat(500_000)))
  assert.match(await refusal(verify(deep)), /^the bundle is not valid: it is nested deeper than 64 levels$/)

  const liar = await scene()
  await signed(liar)
  const endless = {
    ...liar.place,
    blob: async () =>
      (async function* () {
        for (;;) yield new Uint8Array(65_536)
      })(),
  }
  assert.match(
    await refusal(verify({ ...liar, place: endless })),
    /^blob sha256:\w+ should have \d+ bytes, but it has more$/,
  )
})

test('S03 of 10,000 attached signatures 128 are looked at, and the rest is named', async () => {
  const one = await scene()
  const stranger = await newKey()
  const made = await signed({ ...one, key: stranger.key })
  const list = Array<Descriptor>(10_000).fill(made.manifest.descriptor)
  let reads = 0
  const flooded = {
    ...one.place,
    referrers: async () => list,
    manifest: async (descriptor: Descriptor) => {
      reads++
      return one.place.manifest(descriptor)
    },
  }
  const { verified, refused } = await verify({ ...one, place: flooded })
  assert.deepEqual([verified.length, refused.length, reads], [0, 129, 128])
  assert.equal(
    refused.find(({ attachment }) => !attachment)!.reason,
    '9872 more are attached and were not looked at: at most 128 are',
  )
})

test('a list of attachments that is too long is a reason, and hides no signature that is found by tag', async () => {
  const one = await scene()
  await attachSimpleSignature(one.place, createSigner(one.key).signSimple(one.subject, { repository: WEB }))
  const endless = {
    ...one.place,
    referrers: async () => {
      throw new BaleError('LIMIT_EXCEEDED', 'manifest.manifests has more than 10000 entries (10001)')
    },
  }
  const { verified, refused } = await verify({ ...one, place: endless })
  assert.deepEqual(
    [verified.length, refused.map(({ reason }) => reason.slice(0, 40))],
    [1, ['manifest.manifests has more than 10000 e']],
  )
})

test('signatures take 64 MiB at most together, whatever is behind their descriptors', async () => {
  const one = await scene()
  for (let at = 0; at < 5; at++) {
    const layer = { mediaType: ArtifactType.bundle, digest: `sha256:${`${at}`.repeat(64)}` as Digest, size: 15 << 20 }
    const made = makeAttachment({ subject: one.subject, artifactType: ArtifactType.bundle, layers: [] })
    const bytes = encodeDocument({ ...made.manifest.manifest, layers: [layer] })
    await one.place.putManifest(describe(bytes, MediaType.ociManifest), bytes)
  }
  const { refused } = await verify(one, { predicateType: SBOM })
  const reasons = refused.map(({ reason }) => reason.replace(/sha256:\d+/, 'X')).sort()
  assert.equal(
    reasons.filter((reason) => /^was not looked at: the signatures take more than 67108864 bytes$/.test(reason)).length,
    1,
  )
  assert.equal(reasons.length, 5)
})

test('attachments of other kinds are not read, and manifests that are no signature are refused', async () => {
  const one = await scene()
  const layers = [{ mediaType: 'application/spdx+json', bytes: Buffer.from('{}') }]
  await attach(one.place, makeAttachment({ subject: one.subject, artifactType: 'application/spdx+json', layers }))
  assert.deepEqual((await verify(one)).refused, [])
  const two = { mediaType: ArtifactType.bundle, bytes: Buffer.from('{}') }
  await attach(
    one.place,
    makeAttachment({ subject: one.subject, artifactType: ArtifactType.bundle, layers: [two, two] }),
  )
  const cose = [{ mediaType: ArtifactType.notationCose, bytes: Buffer.from('x') }]
  await attach(one.place, makeAttachment({ subject: one.subject, artifactType: ArtifactType.notation, layers: cose }))
  assert.deepEqual((await verify(one)).refused.map(({ reason }) => reason).sort(), [
    'has a manifest that does not hold one signature',
    'is a Notation signature in COSE, which is not read',
  ])
})

test('an attestation of cosign’s old form counts', async () => {
  const one = await scene()
  const { dsseEnvelope } = bundleOf(
    one.key,
    statement(one.subject.digest, { predicateType: SBOM, predicate: { a: 1 } }),
  )
  const bytes = encodeDocument(dsseEnvelope)
  const layer = describe(bytes, ArtifactType.dsseEnvelope)
  await one.place.putBlob(layer, async () => [bytes] as unknown as AsyncIterable<Uint8Array>)
  const config = describe(Buffer.from('{}'), MediaType.ociConfig)
  const manifest = encodeDocument({ schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [layer] })
  const descriptor = describe(manifest, MediaType.ociManifest)
  await one.place.putManifest(descriptor, manifest)
  await one.place.tag(attachmentTag(one.subject.digest, 'att')!, { descriptor, bytes: manifest })
  const { verified, refused } = await verify(one, { predicateType: SBOM })
  assert.deepEqual(refused, [])
  assert.deepEqual(
    verified.map(({ form, predicate }) => [form, predicate]),
    [['envelope', { a: 1 }]],
  )
  assert.deepEqual((await verify(one)).verified, [])
})

test('a signature with a certificate in the old form is told apart', async () => {
  const one = await scene()
  const stranger = await newKey()
  const made = createSigner(stranger.key).signSimple(one.subject, { repository: WEB })
  const annotations = { ...made.layer.annotations, 'dev.sigstore.cosign/certificate': '-----BEGIN CERTIFICATE-----' }
  await attachSimpleSignature(one.place, { ...made, layer: { ...made.layer, annotations } })
  assert.equal(await refusal(verify(one)), 'was made with a certificate in the old form of cosign, which is not read')
})

test('a broken connection is a failure, never an unsigned image', async () => {
  const one = await scene()
  await signed(one)
  const broken = async () => {
    throw Object.assign(new Error('connection reset'), { code: 'ECONNRESET' })
  }
  for (const place of [
    { ...one.place, referrers: broken },
    { ...one.place, manifest: broken },
    { ...one.place, blob: broken },
    { ...one.place, resolve: broken },
  ]) {
    await assert.rejects(verify({ ...one, place }), /connection reset/)
  }
  const missing = {
    ...one.place,
    blob: async () => createMemoryAttachments().blob({ ...one.subject, mediaType: 'x/y' }),
  }
  assert.match(await refusal(verify({ ...one, place: missing })), /^no blob|^blob/)
  const stop = AbortSignal.abort(new Error('enough'))
  await assert.rejects(
    verifyImage(one.subject, one.place, { signers: [one.trusted] }, { repository: WEB, clock, signal: stop }),
    /enough/,
  )
})

test('whatever a check stumbles over is the fault of that signature, and hides no other', async () => {
  const one = await scene()
  await signed(one)
  await attachSimpleSignature(one.place, createSigner(one.key).signSimple(one.subject, { repository: WEB }))
  const broken = { ...one.trusted, key: { ...one.trusted.key, object: {} as TrustedKey['key']['object'] } }
  const { verified, refused } = await verify(one, { signers: [broken, one.trusted] })
  assert.deepEqual(
    verified.map(({ form }) => form),
    ['bundle'],
  )
  assert.match(refused[0]!.reason, /^cannot be read: The "key/)
})

test('nothing is trusted when nobody is', async () => {
  const one = await scene()
  await signed(one)
  await attachSimpleSignature(one.place, createSigner(one.key).signSimple(one.subject, { repository: WEB }))
  const { verified, refused } = await verify(one, { signers: [] })
  assert.deepEqual(verified, [])
  assert.deepEqual(
    refused.map(({ reason }) => reason),
    Array(2).fill('was made with a key, and no key is trusted'),
  )
})

test('an attestation too large to be read again is not made', async () => {
  const one = await scene()
  assert.throws(() => createSigner(one.key).attest(one.subject, SBOM, 'x'.repeat(11 << 20), { repository: WEB }), {
    code: 'LIMIT_EXCEEDED',
    message: /at most 11534336 are signed/,
  })
})
