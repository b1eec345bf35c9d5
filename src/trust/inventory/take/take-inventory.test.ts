import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { BaleError } from '#base'
import { imageOfTars } from '../../../../test/kit/image-of-tars.ts'
import { writeLayer } from '../../../../test/kit/layer-kit.ts'
import { tarEntry, tarOf } from '../../../../test/kit/tar.ts'
import { type Inventory, imageLayer, takeInventory } from '../index.ts'

const text = (name: string, content: string) => ({ entry: tarEntry(name), text: content })

const STATUS = 'var/lib/dpkg/status'
const status = (packages: Record<string, string>) =>
  Object.entries(packages)
    .map(
      ([name, version]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`,
    )
    .join('\n')

const BASE = tarOf([
  text('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
  text(STATUS, status({ libc6: '2.36-9', bash: '5.2-1' })),
])

const named = ({ packages }: Inventory) => packages.map((one) => `${one.name} ${one.version} ${one.layer}`)

/** As takeInventory reads the layers from the image and from the store: both must say the same. */
async function inventoryOf(tars: readonly Promise<Buffer>[]): Promise<Inventory> {
  const all = await Promise.all(tars)
  const { place, manifest, diffIds } = await imageOfTars(all)
  const fromBlobs = await takeInventory(place, manifest, { temporary: tmpdir() })
  const images = new Map(
    await Promise.all(all.map(async (tar, index) => [diffIds[index]!, (await writeLayer(tar)).image] as const)),
  )
  const fromImages = await takeInventory(place, manifest, {
    temporary: tmpdir(),
    layerAtHand: async (diffId) =>
      imageLayer(() => ({ readAt: images.get(diffId)!.readAt, [Symbol.dispose]: () => undefined })),
  })
  assert.deepEqual(fromImages, fromBlobs)
  return fromBlobs
}

test('packages are those of the uppermost database, each with the layer that brought its version', async () => {
  const upper = tarOf([text(STATUS, status({ libc6: '2.36-10', bash: '5.2-1', curl: '7.88-1' }))])
  const inventory = await inventoryOf([BASE, upper])
  assert.deepEqual(named(inventory), ['bash 5.2-1 0', 'curl 7.88-1 1', 'libc6 2.36-10 1'])
  assert.deepEqual(inventory.system?.id, 'debian')
  assert.equal(inventory.layers[1]!.createdBy, 'RUN step 1')
  assert.deepEqual(inventory.gaps, [])
})

test('what a whiteout, an opaque directory, a file or a link in the place of a directory hides is not in the image', async () => {
  for (const hiding of [
    [tarEntry('var/lib/dpkg/.wh.status')],
    [tarEntry('var/.wh.lib')],
    [tarEntry('var/lib/dpkg/.wh..wh..opq')],
    [text('var/lib', 'a file')],
    [tarEntry('var', { type: 'symlink', linkName: '/elsewhere' })],
  ]) {
    assert.deepEqual(named(await inventoryOf([BASE, tarOf(hiding)])), [], JSON.stringify(hiding))
  }
})

test('a whiteout hides nothing of its own layer, in whichever order', async () => {
  const database = text(STATUS, status({ curl: '7' }))
  for (const order of [
    [tarEntry('var/lib/.wh.dpkg'), database],
    [database, tarEntry('var/lib/.wh.dpkg')],
    [database, tarEntry('var/lib/dpkg/.wh..wh..opq')],
  ]) {
    assert.deepEqual(named(await inventoryOf([BASE, tarOf(order)])), ['curl 7 1'], JSON.stringify(order))
  }
})

test('a package that was away for a layer comes with the layer that brought it back', async () => {
  const without = tarOf([tarEntry('var/lib/dpkg/.wh.status')])
  const again = tarOf([text(STATUS, status({ bash: '5.2-1' }))])
  assert.deepEqual(named(await inventoryOf([BASE, without, again])), ['bash 5.2-1 2'])
})

test('paths in UTF-8 are told as people read them', async () => {
  const directory = Buffer.from('opt/café/node_modules/x').toString('latin1')
  const tar = tarOf([text(`${directory}/package.json`, '{"name":"x","version":"1.0.0"}')])
  assert.deepEqual((await inventoryOf([tar])).packages[0]!.path, 'opt/café/node_modules/x/package.json')
})

test('a layer that cannot be read is a gap, and the others count', async () => {
  const damaged = Buffer.from('not a tar, and longer than a header of a tar is '.repeat(40))
  const { place, manifest } = await imageOfTars([await BASE, damaged])
  const inventory = await takeInventory(place, manifest, { temporary: tmpdir() })
  assert.equal(inventory.packages.length, 2)
  assert.equal(inventory.gaps.length, 1)
  assert.equal(inventory.gaps[0]!.where, inventory.layers[1]!.digest)
})

test('a layer whose bytes are others than its digest says is a gap', async () => {
  const { place, manifest } = await imageOfTars([await BASE])
  assert.ok(manifest.kind === 'manifest')
  const { layers, config } = manifest.manifest
  const other = (digest: string) => ({
    ...place,
    async blob(...args: Parameters<typeof place.blob>) {
      const blob = await place.blob(...args)
      return args[0].digest === digest ? altered(blob) : blob
    },
  })
  const inventory = await takeInventory(other(layers[0]!.digest), manifest, { temporary: tmpdir() })
  assert.deepEqual(
    inventory.gaps.map(({ where }) => where),
    [layers[0]!.digest],
  )
  // What is wrong with the config is an error: it says which layers there are.
  await assert.rejects(takeInventory(other(config.digest), manifest, { temporary: tmpdir() }), {
    code: 'DIGEST_MISMATCH',
  })
})

async function* altered(stream: AsyncIterable<Uint8Array>) {
  for await (const bytes of stream) yield Buffer.from(bytes).fill(0x20, bytes.length - 1)
}

test('a full disk or a damaged layer of the store is an error, no gap', async () => {
  const { place, manifest } = await imageOfTars([await BASE])
  for (const code of ['NO_SPACE', 'INVALID_LAYER_IMAGE'] as const) {
    const failing = { visit: () => Promise.reject(new BaleError(code, 'of the layer')) }
    const taken = takeInventory(place, manifest, { temporary: tmpdir(), layerAtHand: async () => failing })
    await assert.rejects(taken, { code })
  }
})

test('a package behind a link of its own layer is found where the link leads to', async () => {
  const tar = tarOf([
    tarEntry('usr/lib', { type: 'directory', mode: 0o755 }),
    tarEntry('lib', { type: 'symlink', linkName: 'usr/lib' }),
    text('lib/node_modules/x/package.json', '{"name":"x","version":"1.0.0"}'),
  ])
  assert.deepEqual((await inventoryOf([tar])).packages[0]!.path, 'usr/lib/node_modules/x/package.json')
})

test('a lockfile counts only where nothing of it is installed', async () => {
  const lockfile = '{"lockfileVersion":3,"packages":{"node_modules/x":{"version":"1.0.0"}}}'
  const manifest = '{"name":"x","version":"1.0.0"}'
  const locked = (...files: [string, string][]) =>
    inventoryOf([tarOf(files.map(([name, content]) => text(name, content)))])
  for (const directory of ['', 'srv/app/']) {
    const alone = await locked(
      [`${directory}package-lock.json`, lockfile],
      ['other/node_modules/x/package.json', manifest],
    )
    assert.deepEqual(alone.packages.map(({ path }) => path).sort(), [
      'other/node_modules/x/package.json',
      `${directory}package-lock.json`,
    ])
    const installed = await locked(
      [`${directory}package-lock.json`, lockfile],
      [`${directory}node_modules/a/node_modules/x/package.json`, manifest],
    )
    assert.deepEqual(
      installed.packages.map(({ path }) => path),
      [`${directory}node_modules/a/node_modules/x/package.json`],
    )
  }
})

test('an artifact that is no image is refused', async () => {
  const { place, manifest } = await imageOfTars([await BASE])
  assert.ok(manifest.kind === 'manifest')
  const artifact = {
    ...manifest,
    manifest: { ...manifest.manifest, config: { ...manifest.manifest.config, mediaType: 'application/x' } },
  }
  await assert.rejects(takeInventory(place, artifact, { temporary: tmpdir() }), { code: 'UNSUPPORTED' })
})

test('the same image gives the same inventory', async () => {
  const [one, two] = [await inventoryOf([BASE]), await inventoryOf([BASE])]
  const digest = (inventory: Inventory) => createHash('sha256').update(JSON.stringify(inventory)).digest('hex')
  assert.equal(digest(one), digest(two))
})
