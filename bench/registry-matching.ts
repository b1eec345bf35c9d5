/**
 * How long a registry takes to hold all its images against a new bundle of advisories:
 * `npm run bench:registry-matching [-- --images 10000 --packages 200 --advisories 20]`. The bar is one minute for
 * 10,000 images of 200 packages on two processors. Nothing of the images but their lists of packages is made.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { isBaleError } from '#base'
import { type Digest, MediaType } from '#spec'
import type { Inventory, InventoryPackage } from '#trust/inventory'
import { digestOf } from '../src/blob/index.ts'
import { describeManifest } from '../src/registry/manifest/index.ts'
import { encodeInventory } from '../src/registry/scan/scan-record.ts'
import { createScanner } from '../src/registry/scan/scanner.ts'
import { debianAdvisory, type ScanPlace, scanPlace } from '../test/kit/scan-place.ts'

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '10000' },
    packages: { type: 'string', default: '200' },
    advisories: { type: 'string', default: '20' },
  },
})
const [images, packages, advisories] = [values.images, values.packages, values.advisories].map(Number) as [
  number,
  number,
  number,
]
/** Of the distribution, each in as many versions as it had updates. */
const SOURCES = 2000
const VERSIONS = 10

await using place = await scanPlace()
const began = performance.now()
await fill(place)
console.log(`${images} images are there after ${secondsSince(began)} s`)
await place.putAdvisories(
  Array.from({ length: SOURCES * advisories }, (_, number) =>
    debianAdvisory(`CVE-2024-${number}`, `source${number % SOURCES}`, {
      // Most were fixed long ago; one or two of each package are open.
      ranges: [{ events: [{ introduced: '0' }, { fixed: number % 16 === 0 ? `1.${number % VERSIONS}-1` : '0.9-1' }] }],
      summary: `What is wrong with source${number % SOURCES}, in a sentence or two of some length`,
      url: `https://tracker.example/CVE-2024-${number}`,
    }),
  ),
)
let matched = 0
const start = performance.now()
{
  await using scanner = createScanner({
    settings: { advisories: place.advisories },
    ...{ meta: place.meta, objects: place.objects, upstreams: undefined, clock: place.clock },
    // Of the images there is nothing that could be scanned again.
    report: (failure, what) => isBaleError(failure, 'BLOB_NOT_FOUND') || console.error(what, failure),
    observe(event) {
      if (event.kind === 'scans-matched') matched += event.count
    },
  })
  await scanner.round()
  const late = lateness()
  while (matched < images) await sleep(100)
  console.log(
    `matched after ${secondsSince(start)} s; of that, this process used ${(process.cpuUsage().user / 1e6).toFixed(1)} s in all`,
  )
  console.log(`the longest time that requests would have waited for this process: ${late()} ms`)
}
const [one] = await place.meta.listUnmatched('none', { limit: 1 })
console.log(`the inventory of one has ${one?.inventory.byteLength} bytes`)

function secondsSince(time: number): string {
  return ((performance.now() - time) / 1000).toFixed(1)
}

function lateness(): () => number {
  let [last, longest] = [performance.now(), 0]
  setInterval(() => {
    longest = Math.max(longest, performance.now() - last - 10)
    last = performance.now()
  }, 10).unref()
  return () => Math.round(longest)
}

async function fill({ meta }: ScanPlace): Promise<void> {
  for (let number = 0; number < images; number++) {
    const config = { mediaType: MediaType.ociConfig, digest: digestOf(Buffer.from('c')), size: 1 }
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        config,
        layers: [],
        annotations: { number: String(number) },
      }),
    )
    const digest = digestOf(bytes)
    await meta.putCached(`acme/${number % 100}`, describeManifest(bytes, { digest, tags: [], actor: 'bench' }))
  }
  for (;;) {
    const taken = await meta.takeScan({ lease: 60_000, analyser: '1' })
    if (!taken) return
    const inventory = encodeInventory(inventoryOf(taken.digest, Number(BigInt(`0x${taken.digest.slice(7, 15)}`))))
    await meta.endScan(taken, { outcome: 'scanned', analyser: '1', inventory })
  }
}

/** Some packages of the distribution, of the time when the image was built. */
function inventoryOf(manifest: Digest, random: number): Inventory {
  const version = `1.${random % VERSIONS}-1`
  return {
    ...{ analyser: 1, manifest, system: { id: 'debian', version: '12' }, gaps: [] },
    layers: [{ digest: manifest, diffId: manifest, createdBy: 'RUN apt-get install' }],
    packages: Array.from({ length: packages }, (_, number): InventoryPackage => {
      // Most packages are in every image.
      const source = number < packages / 2 ? number : (number * 7919 + random) % SOURCES
      return {
        ...{ type: 'deb', name: `package${source}`, version, architecture: 'amd64' },
        source: { name: `source${source}`, version },
        ...{ licences: ['GPL-2'], vendor: 'Debian <debian@example.org>', path: 'var/lib/dpkg/status', layer: 0 },
      }
    }),
  }
}
