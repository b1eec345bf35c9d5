import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { choosePlatform, imagesOf, isImageManifest } from '#image'
import { MediaType, parseDigest, parseImageConfig, parseManifest } from '#spec'
import { attestedIndex } from './attested-index.ts'
import { imageSubjects } from './image-subjects.ts'
import { inTotoStatement, SPDX_PREDICATE } from './statement.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' }
const descriptor = { mediaType: MediaType.ociManifest, digest, size: 100 }
const document = { predicateType: SPDX_PREDICATE, predicate: { spdxVersion: 'SPDX-2.3' } }
const statement = inTotoStatement(document, imageSubjects([], platform, digest))

function read(bytes: Uint8Array) {
  const parsed = parseManifest(bytes)
  assert.ok(parsed.kind === 'manifest')
  return parsed.manifest
}

test('an index lists the image, and behind it a manifest of no platform that names the image', () => {
  const index = attestedIndex([{ descriptor, platform, statements: [statement] }])
  const parsed = parseManifest(index.bytes)
  assert.ok(parsed.kind === 'index')
  const [image, attestation] = parsed.index.manifests
  assert.deepEqual(image, { ...descriptor, platform })
  assert.deepEqual(attestation!.platform, { os: 'unknown', architecture: 'unknown' })
  assert.deepEqual(attestation!.annotations, {
    'vnd.docker.reference.digest': digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  })
  assert.equal(attestation!.digest, digestOf(index.manifests[0]!.bytes))
  assert.deepEqual(imagesOf(parsed.index), [image])
  assert.equal(choosePlatform(parsed.index, platform), image)
})

test('the manifest has the statements as layers, and a config of no system with their digests', () => {
  const index = attestedIndex([{ descriptor, platform, statements: [statement] }])
  const manifest = read(index.manifests[0]!.bytes)
  const [config, blob] = index.blobs
  assert.deepEqual(manifest.layers, [
    {
      mediaType: 'application/vnd.in-toto+json',
      digest: digestOf(blob!.bytes),
      size: blob!.bytes.length,
      annotations: { 'in-toto.io/predicate-type': SPDX_PREDICATE },
    },
  ])
  assert.deepEqual(JSON.parse(Buffer.from(blob!.bytes).toString()), {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: SPDX_PREDICATE,
    subject: [{ name: '_', digest: { sha256: 'a'.repeat(64) } }],
    predicate: { spdxVersion: 'SPDX-2.3' },
  })
  const { os, architecture, rootfs } = parseImageConfig(config!.bytes)
  assert.deepEqual([os, architecture, rootfs.diff_ids], ['unknown', 'unknown', [digestOf(blob!.bytes)]])
  assert.equal(manifest.config.digest, digestOf(config!.bytes))
  assert.equal(isImageManifest(manifest), false, 'nothing runs it')
})

test('of several images all come first, and each attestation names its own', () => {
  const other = { ...descriptor, digest: parseDigest(`sha256:${'b'.repeat(64)}`) }
  const index = attestedIndex([
    { descriptor, platform, statements: [statement] },
    { descriptor: other, platform: { os: 'linux', architecture: 'amd64' }, statements: [statement] },
  ])
  const parsed = parseManifest(index.bytes)
  assert.ok(parsed.kind === 'index')
  const named = parsed.index.manifests.map(({ annotations }) => annotations?.['vnd.docker.reference.digest'])
  assert.deepEqual(named, [undefined, undefined, digest, other.digest])
})
