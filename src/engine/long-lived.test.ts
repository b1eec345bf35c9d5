/** An engine that is never closed: a server. What its operations leave behind must go without closing it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { makeImage, putImage, type RandomImage, randomImage } from '#image'
import { MediaType } from '#spec'
import { openRepository } from '#transport'
import { noCredentials } from '#transport/credentials'
import { startRegistry } from '../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { createEngine, readConfig } from './index.ts'

const skip = process.getuid?.() === 0 ? false : 'collecting looks at mounts and containers, which needs root'

/** An image whose layer is no tar: its pull breaks off with the config already in the store. */
function brokenImage(): Pick<RandomImage, 'blobs'> & ReturnType<typeof makeImage> {
  const bytes = Buffer.alloc(2000, 'no tar ')
  const layer = { mediaType: MediaType.ociLayer, digest: digestOf(bytes), size: bytes.byteLength }
  const image = makeImage({
    config: { os: 'linux', architecture: 'amd64' },
    layers: [{ ...layer, diffId: layer.digest }],
  })
  const blobs = new Map([
    [layer.digest, new Uint8Array(bytes)],
    [image.configDescriptor.digest, image.configBytes],
  ])
  return { ...image, blobs }
}

test('a long-lived engine collects what a failed pull left and what another pull replaced', { skip }, async () => {
  await using registry = await startRegistry()
  await using directory = await temporaryDirectory()
  const root = join(directory.path, 'root')
  const name = `${registry.address}/team/web:1`
  const push = async (image: Parameters<typeof putImage>[1]) => {
    const place = { registry: registry.address, repository: 'team/web' }
    await using repository = openRepository(place, { credentials: noCredentials })
    await putImage(repository, image, '1')
  }
  await using engine = createEngine({ config: readConfig({ root, run: join(directory.path, 'run') }) })
  const inStore = () => {
    using database = new DatabaseSync(join(root, 'bale.db'), { readOnly: true })
    const digests = (sql: string) =>
      database
        .prepare(sql)
        .all()
        .map((row) => row['digest'])
    return {
      documents: digests('SELECT digest FROM documents ORDER BY digest'),
      layers: digests('SELECT diff_id AS digest FROM layers ORDER BY diff_id'),
      leases: digests(`SELECT digest FROM pins WHERE owner LIKE 'lease:%'`),
    }
  }
  const [first, second] = await Promise.all([randomImage({ seed: 1 }), randomImage({ seed: 2 })])
  const whole = ({ configDescriptor, manifestDescriptor, config }: RandomImage) => ({
    documents: [configDescriptor.digest, manifestDescriptor.digest].sort(),
    layers: [...config.rootfs.diff_ids].sort(),
    leases: [],
  })

  await push(first)
  await engine.images.pull(name)
  const broken = brokenImage()
  await push(broken)
  await assert.rejects(engine.images.pull(name), { code: 'INVALID_TAR' })
  assert.ok(inStore().documents.includes(broken.configDescriptor.digest))
  await engine.system.gc()
  assert.deepEqual(inStore(), whole(first))

  await push(second)
  await engine.images.pull(name)
  await engine.images.prune()
  await engine.system.gc()
  assert.deepEqual(inStore(), whole(second))
  assert.deepEqual(await engine.system.check(), [])
})
