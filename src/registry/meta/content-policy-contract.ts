import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { type Descriptor, MediaType } from '#spec'
import { blob, type Check, type ManifestParts, manifest, push } from './kit-contract.ts'
import type { MetaStore, NewManifest } from './meta-store.ts'

const violated = { code: 'POLICY_VIOLATED' }
const CONFIG = '{}'

interface ImageParts extends Pick<ManifestParts, 'tags'> {
  layers: string[]
  layerType?: string
  configType?: string
  artifactType?: string
}

/** An image whose blobs are pushed as well. */
async function image(meta: MetaStore, repository: string, parts: ImageParts): Promise<NewManifest> {
  const { layers, layerType = MediaType.ociLayer, configType = MediaType.ociConfig, artifactType, tags } = parts
  const part = (mediaType: string, content: string): Descriptor => ({ mediaType, ...sized(content) })
  const document = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType,
    config: part(configType, CONFIG),
    layers: layers.map((content) => part(layerType, content)),
  }
  for (const content of [CONFIG, ...layers]) await push(meta, repository, content)
  const built = manifest({
    content: JSON.stringify(document),
    tags,
    blobs: [CONFIG, ...layers].map((one) => blob(one)),
  })
  return { ...built, mediaType: MediaType.ociManifest }
}

const sized = (content: string) => ({ digest: digestOf(content), size: content.length })

function indexOf(children: NewManifest[], tags: string[] = []): NewManifest {
  const entries = children.map(({ digest, bytes, mediaType }) => ({ mediaType, digest, size: bytes.length }))
  const content = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: entries })
  return {
    ...manifest({ content, tags, children: children.map(({ digest }) => digest) }),
    mediaType: MediaType.ociIndex,
  }
}

export function contentPolicyContract(check: Check): void {
  check('policies about content are listed and removed among the others', async ({ meta, other }) => {
    const types = { kind: 'types', pattern: 'a/*', allow: ['x/*'], block: [] } as const
    const one = await meta.addPolicy({ ...types, allow: ['x/*'], block: [] })
    assert.deepEqual(await other.listPolicies(), [{ id: one, ...types }])
    const [entry] = await other.listAudit({ limit: 1 })
    assert.deepEqual([entry?.action, entry?.detail], ['policy.add', `${one}: types allow=x/*`])
    assert.equal(await other.removePolicy(one), true)
    assert.ok((await meta.addPolicy({ ...types, allow: ['x/*'], block: [] })) > one)
  })

  check('each media type of a manifest is judged, in repositories of the policy', async ({ meta, other }) => {
    const allow = ['application/vnd.oci.image.*', 'Application/X-About']
    const policy = await meta.addPolicy({ kind: 'types', pattern: 'a/*', allow, block: ['*nondistributable*'] })
    const put = async (parts: Partial<ImageParts>, repository = 'a/b') =>
      await other.putManifest(repository, await image(meta, repository, { layers: ['one'], ...parts }))
    assert.equal(await put({}), undefined)
    assert.equal(await put({ artifactType: 'application/x-about' }), undefined)
    const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
    for (const [parts, words] of [
      [{ artifactType: 'text/x' }, 'does not allow the media type text/x'],
      [{ configType: 'text/y' }, 'does not allow the media type text/y'],
      [{ layerType: 'text/z' }, 'does not allow the media type text/z'],
      [{ layerType: foreign }, `blocks the media type ${foreign}`],
    ] as const) {
      await assert.rejects(put(parts), { ...violated, message: `policy ${policy} of a/* ${words}` })
    }
    assert.equal(await put({ configType: 'text/y' }, 'b/b'), undefined)
    const child = await image(meta, 'a/b', { layers: ['one'] })
    assert.equal(await other.putManifest('a/b', indexOf([child])), undefined)
    await meta.addPolicy({ kind: 'types', pattern: 'a/*', allow: [], block: [MediaType.ociIndex] })
    await assert.rejects(other.putManifest('a/b', indexOf([child])), violated)
    await meta.removePolicy(policy)
    assert.equal(await put({ configType: 'text/y' }), undefined)
  })

  check('images that are not built on an allowed base, or on a blocked one, are refused', async ({ meta, other }) => {
    const amd = await image(meta, 'base/os', { layers: ['amd 1', 'amd 2'] })
    const arm = await image(meta, 'base/os', { layers: ['arm 1'] })
    const attestation = await image(meta, 'base/os', {
      layers: ['{"about":1}'],
      layerType: 'application/vnd.in-toto+json',
    })
    for (const one of [amd, arm, attestation]) await meta.putManifest('base/os', one)
    await meta.putManifest('base/os', indexOf([amd, arm, attestation], ['1']))
    const policy = await meta.addPolicy({ kind: 'base', pattern: 'a/**', allow: ['base/os:1'], block: [] })
    const put = async (layers: string[], more: Partial<ImageParts> = {}) =>
      await other.putManifest('a/b', await image(meta, 'a/b', { layers, ...more }))
    for (const layers of [['amd 1', 'amd 2', 'own'], ['arm 1'], ['arm 1', 'own']])
      assert.equal(await put(layers), undefined)
    const words = `policy ${policy} of a/** allows images based on base/os:1 alone`
    for (const layers of [['own'], ['amd 1', 'own'], ['own', 'arm 1'], ['amd 2', 'amd 1'], ['{"about":1}']]) {
      await assert.rejects(put(layers), { ...violated, message: words })
    }
    assert.equal(await put(['{"sig":1}'], { layerType: 'application/vnd.dev.cosign.simplesigning.v1+json' }), undefined)
    const next = await image(meta, 'base/os', { layers: ['arm 1', 'arm 3'], tags: ['1'] })
    await meta.putManifest('base/os', next)
    await assert.rejects(put(['arm 1', 'own']), violated, 'the tag is what it is now')
    assert.equal(await put(['arm 1', 'arm 3']), undefined)
    await meta.deleteTag('base/os', '1', 'ann')
    assert.equal(await put(['arm 1', 'own']), undefined, 'and what it was when the policy was made, when it is gone')
    const blocked = `base/os@${next.digest}`
    const second = await meta.addPolicy({ kind: 'base', pattern: 'a/b', allow: [], block: [blocked] })
    await meta.deleteManifest('base/os', next.digest, 'ann')
    await assert.rejects(put(['arm 1', 'arm 3', 'own']), {
      message: `policy ${second} of a/b blocks images based on ${blocked}`,
    })
    assert.equal(await put(['arm 1', 'own']), undefined)
    for (const [reference, code] of [
      ['base/os:9', 'MANIFEST_NOT_FOUND'],
      [`base/os@${attestation.digest}`, 'MANIFEST_NOT_FOUND'],
      ['base/os', 'INVALID_REFERENCE'],
      ['Base:1', 'INVALID_REFERENCE'],
    ] as const) {
      await assert.rejects(meta.addPolicy({ kind: 'base', pattern: 'a/b', allow: [reference], block: [] }), { code })
    }
  })
}
