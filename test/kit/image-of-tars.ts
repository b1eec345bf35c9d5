import { gzipSync } from 'node:zlib'
import { digestOf } from '../../src/blob/index.ts'
import {
  checkedManifest,
  createMemoryPlace,
  type MemoryPlace,
  makeImage,
  type ReadManifest,
} from '../../src/image/index.ts'
import type { Digest } from '../../src/spec/index.ts'

/** An image of these layers, in memory; `steps` are the command lines that made them. */
export async function imageOfTars(
  tars: readonly Buffer[],
  steps: readonly string[] = tars.map((_, index) => `RUN step ${index}`),
): Promise<{ place: MemoryPlace; manifest: ReadManifest; diffIds: Digest[] }> {
  const place = createMemoryPlace()
  const layers = tars.map((tar) => ({ tar, bytes: gzipSync(tar, { level: 1 }) }))
  const image = makeImage({
    config: {
      architecture: 'amd64',
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      history: steps.map((created_by) => ({ created_by })),
    },
    layers: layers.map(({ tar, bytes }) => ({
      diffId: digestOf(tar),
      digest: digestOf(bytes),
      size: bytes.length,
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    })),
  })
  const put = async (bytes: Uint8Array, digest: Digest) => {
    const stream = async function* () {
      yield bytes
    }
    await place.putBlob({ mediaType: '', digest, size: bytes.length }, async () => stream())
  }
  await put(image.configBytes, image.configDescriptor.digest)
  for (const { bytes } of layers) await put(bytes, digestOf(bytes))
  await place.putManifest(image.manifestDescriptor, image.manifestBytes)
  const raw = { descriptor: image.manifestDescriptor, bytes: image.manifestBytes }
  await place.tag('image', raw)
  return { place, manifest: checkedManifest(raw), diffIds: tars.map((tar) => digestOf(tar)) }
}
