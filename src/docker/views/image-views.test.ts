import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { makeDocuments, plainLayer } from '#image'
import { type Digest, imageName, parseReference, type RepoDigest } from '#spec'
import type { StoredImage } from '#store'
import { goTime, goTimeOf, unixSeconds } from './go-time.ts'
import { imageHistory } from './image-history.ts'
import { type ImageInspect, imageInspect } from './image-inspect.ts'
import { imageRows, imageSummaries, readImageFilters } from './image-list.ts'

/** What docker 20.10 printed for archives of these configs (`docker load`, then `image inspect` and the history's API). */
interface Recorded {
  images: { name: string; config: unknown; inspect: ImageInspect; history: unknown[] }[]
}
const recorded = JSON.parse(readFileSync(new URL('./testdata/docker-images.json', import.meta.url), 'utf8')) as Recorded

type Facts = Partial<Omit<StoredImage, 'names' | 'repoDigests'>> & { names?: string[]; repoDigests?: string[] }

function stored(config: unknown, { names = [], repoDigests = [], ...more }: Facts = {}): StoredImage {
  const rawConfig = new TextEncoder().encode(typeof config === 'string' ? config : JSON.stringify(config))
  const { diff_ids } = (JSON.parse(new TextDecoder().decode(rawConfig)) as { rootfs: { diff_ids: Digest[] } }).rootfs
  const made = makeDocuments({ configBytes: rawConfig, layers: diff_ids.map((diffId) => plainLayer(diffId, 1)) })
  return {
    id: digestOf(rawConfig),
    descriptor: made.manifestDescriptor,
    manifest: made.manifest,
    config: made.config,
    rawConfig,
    names: names.map((name) => imageName(parseReference(name))),
    repoDigests: repoDigests.map((name) => parseReference(name) as RepoDigest),
    platform: { os: made.config.os, architecture: made.config.architecture },
    size: 0,
    ...more,
  }
}

for (const { name, config, inspect, history } of recorded.images) {
  test(`${name}: image inspect has docker's members, values and order`, () => {
    const image = stored(config, { names: [`docker.io/library/${name}`], size: inspect.Size })
    const ours = imageInspect(image, { graphDriver: inspect.GraphDriver })
    assert.equal(JSON.stringify(ours, null, 1), JSON.stringify(inspect, null, 1))
  })

  test(`${name}: history has docker's rows`, async () => {
    const image = stored(config, { names: [`docker.io/library/${name}`] })
    const rows = await imageHistory(image, async (diffId) => LAYER_SIZES[diffId]!)
    assert.deepEqual(rows, history)
  })
}

const LAYER_SIZES: Record<string, number> = {
  'sha256:9564be645c3f85fb23bad7593f4999ca6367db1d52404b2a7ebe3cd79280bcd3': 2610,
  'sha256:31f44e2fe7d89d3fd63ba43ad403c6808e31797cf46b66ff53fe637ab6a20701': 1852,
  'sha256:335000e859d879eb795b342577d1feec32e07ecafe3b1e4f7fe5a0f29a00b237': 1_982_256,
  'sha256:33b2ea5ebcc3fb8362cdc697c083f67e06aa185018558d8f87915553c13de3b0': 0,
}

test('inspect tells names as people write them, and members that only docker’s documents have', () => {
  const config = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [] },
    config: { Hostname: 'h', Tty: true, Image: 'i' },
  }
  const image = stored(config, {
    names: ['localhost:5000/team/web:1', 'docker.io/library/web:latest'],
    repoDigests: [`docker.io/library/web@${digestOf('x')}`],
    lastTagged: Date.UTC(2024, 0, 2, 3, 4, 5, 60),
  })
  const inspect = imageInspect(image)
  assert.deepEqual(inspect.RepoTags, ['web:latest', 'localhost:5000/team/web:1'])
  assert.deepEqual(inspect.RepoDigests, [`web@${digestOf('x')}`])
  assert.deepEqual([inspect.Config?.Hostname, inspect.Config?.Tty, inspect.Config?.Image], ['h', true, 'i'])
  assert.equal(inspect.Metadata.LastTagTime, '2024-01-02T03:04:05.06Z')
  assert.deepEqual(inspect.RootFS, { Type: 'layers' })
})

const platform = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } }
const on = (day: number) => `2024-01-0${day}T00:00:00Z`
const images = [
  stored(
    { ...platform, created: on(1), config: { Labels: { a: '1', b: 'x=y' } } },
    { names: ['docker.io/library/old:1', 'docker.io/library/old:2'] },
  ),
  stored(
    { ...platform, created: on(2), config: { Labels: { a: '2' } } },
    { names: ['localhost:5000/team/mid:1'], repoDigests: [`localhost:5000/team/mid@${digestOf('m')}`] },
  ),
  stored({ ...platform, created: on(3) }, { repoDigests: [`docker.io/ann/pulled@${digestOf('p')}`] }),
  stored({ ...platform, created: on(4) }),
]
const days = async (...filters: [name: string, value: string][]) => {
  const pairs = filters.map(([name, value]) => ({ name, value }))
  const read = await readImageFilters(pairs, async (text) => images[Number(text) - 1]!, Date.parse('2024-01-05'))
  return imageSummaries(images, read).map(({ Created }) => new Date(Created * 1000).getUTCDate())
}

test('images are listed newest first and filtered as docker does', async () => {
  assert.deepEqual(await days(), [4, 3, 2, 1])
  assert.deepEqual(await days(['dangling', 'true']), [4, 3])
  assert.deepEqual(await days(['dangling', 'false']), [3, 2, 1])
  assert.deepEqual(await days(['label', 'a']), [2, 1])
  assert.deepEqual(await days(['label', 'a=1'], ['label', 'b=x=y']), [1])
  assert.deepEqual(await days(['label', 'constructor']), [])
  assert.deepEqual(await days(['before', '3']), [2, 1])
  assert.deepEqual(await days(['since', '2']), [4, 3])
  assert.deepEqual(await days(['since', '1'], ['before', '4']), [3, 2])
  assert.deepEqual(await days(['reference', 'old']), [1])
  assert.deepEqual(await days(['reference', '*/*']), [3])
  assert.deepEqual(await days(['reference', '*/*/m?d:[0-9]'], ['reference', 'old:2']), [2, 1])
  await assert.rejects(days(['bogus', '1']), { code: 'INVALID_ARGUMENT', message: "invalid filter 'bogus'" })
  await assert.rejects(days(['dangling', 'maybe']), { code: 'INVALID_ARGUMENT' })
})

test('a reference filter leaves out the names that do not fit', () => {
  assert.deepEqual(imageSummaries(images, { reference: ['old:2'] })[0]?.RepoTags, ['old:2'])
})

test('there is a line for each tag; digests show beside their tags; an image without name has one line', () => {
  const lines = (digests: boolean) =>
    imageRows(imageSummaries(images), { digests }).map(({ repository, tag, digest }) => [repository, tag, digest])
  assert.deepEqual(lines(false), [
    [undefined, undefined, undefined],
    ['ann/pulled', undefined, undefined],
    ['localhost:5000/team/mid', '1', undefined],
    ['old', '1', undefined],
    ['old', '2', undefined],
  ])
  assert.deepEqual(lines(true).slice(1, 4), [
    ['ann/pulled', undefined, digestOf('p')],
    ['localhost:5000/team/mid', '1', digestOf('m')],
    ['old', '1', undefined],
  ])
})

test('times are written as Go writes them', () => {
  assert.equal(goTime('2024-01-02T03:04:05.100000000Z'), '2024-01-02T03:04:05.1Z')
  assert.equal(goTime('2024-01-02T03:04:00.000+02:00'), '2024-01-02T03:04:00+02:00')
  assert.equal(goTime('2024-01-02T03:04:10Z'), '2024-01-02T03:04:10Z')
  assert.equal(goTimeOf(undefined), '0001-01-01T00:00:00Z')
  assert.equal(unixSeconds(undefined), -62135596800)
})
